import Foundation
import Glibc
import KilnModel
import KilnSystem

/// A switch at work, on one thread: frames from port to port, and questions at its socket.
final class SwitchLoop {
    /// Why it ended.
    enum Ending {
        /// It was asked to.
        case asked
        /// What it was told is gone, and so is its lab.
        case forgotten
        /// The process that starts it again is gone.
        case orphaned
    }

    let place: SwitchPlace
    let fabric = SwitchFabric()
    var outlets: [MachineID: SwitchOutlet] = [:]
    var timed = TimedFrames()
    private let listener: Int32
    private var clients: [Int32] = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)

    /// How many ask at once; the oldest of more is hung up on.
    private static let mostClients = 16
    /// How many frames of one port are taken before the others have their turn.
    private static let turn = 64

    /// Binds the switch's socket and the ports that it was told of, in place of those of a switch before this one.
    ///
    /// - Throws: `POSIXError`.
    init(_ place: SwitchPlace) throws {
        self.place = place
        listener = try UnixSocket.bound(to: place.socket, .packets)
        guard listen(listener, 64) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        let table = SwitchLoop.table(at: place)
        fabric.adopt(table, at: .now)
        bindMissing()
    }

    // What can't be bound now may be a moment later; its frames are not sent until then.
    private func bindMissing() {
        for port in fabric.table.ports where outlets[port.machine] == nil {
            outlets[port.machine] = try? SwitchOutlet(port)
        }
    }

    deinit {
        clients.forEach { close($0) }
        close(listener)
        buffer.deallocate()
    }

    // One that can't be read is as good as none: every port is told again when its machine starts, or its lab comes up.
    private static func table(at place: SwitchPlace) -> SwitchTable {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: place.table)), data.count < 4 << 20,
            let table = try? JSONDecoder().decode(SwitchTable.self, from: data),
            table.ports.count <= SwitchRequest.mostPorts
        else { return SwitchTable() }
        return table
    }

    /// Works until it is not wanted any more.
    ///
    /// - Parameter parent: a descriptor that is hung up when the process that starts it again has ended.
    func run(parent: Int32) -> Ending {
        var looked = ContinuousClock.now
        while true {
            let ports = fabric.ports
            var waits = ([parent, listener] + clients + ports.map { outlets[$0.told.machine]?.descriptor ?? -1 })
                .map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            _ = poll(&waits, nfds_t(waits.count), timeout)
            if waits[0].revents != 0 { return .orphaned }
            let asked = zip(clients, waits[2...]).filter { $1.revents != 0 }.map(\.0)
            let ready = zip(ports, waits[(2 + clients.count)...]).filter { $1.revents != 0 }.map(\.0)
            for client in asked where answer(client) { return .asked }
            if waits[1].revents != 0 { accept() }
            for port in ready { forward(from: port) }
            sendLate()
            // Its lab's folder may have been removed by hand.
            if ContinuousClock.now - looked > .seconds(2) {
                if access(place.table, F_OK) != 0 { return .forgotten }
                bindMissing()
                looked = .now
            }
        }
    }

    private var timeout: Int32 {
        let left = timed.next.map { Int(($0 - .now) / .milliseconds(1)) + 1 } ?? 2500
        let behind = outlets.values.filter(\.isBehind)
        let longest = behind.isEmpty ? 2500 : behind.allSatisfy(\.isStuck) ? 50 : 1
        return Int32(clamping: min(max(left, 0), longest))
    }

    // MARK: - Frames

    private func forward(from port: SwitchFabric.Port) {
        guard let outlet = outlets[port.told.machine] else { return }
        for _ in 0..<SwitchLoop.turn {
            guard let (count, isMachines) = outlet.receive(buffer) else { return }
            let frame = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            guard isMachines else {
                port.drop(.forged)
                continue
            }
            let now = ContinuousClock.now
            for delivery in fabric.deliveries(of: frame, from: port, at: now) {
                if delivery.delay == .zero {
                    outlets[delivery.port.told.machine]?.send(frame, of: delivery.port)
                } else if !timed.add(Array(frame), to: delivery.port.told.machine, at: now + delivery.delay) {
                    delivery.port.drop(.full)
                }
            }
        }
    }

    private func sendLate() {
        for port in fabric.ports { outlets[port.told.machine]?.sendWaiting(of: port) }
        for (frame, machine) in timed.due(at: .now) {
            guard let port = fabric.ports.first(where: { $0.told.machine == machine }) else { continue }
            guard port.told.isUp else {
                port.drop(.down)
                continue
            }
            frame.withUnsafeBytes { outlets[machine]?.send($0, of: port) }
        }
    }

    // MARK: - Questions

    private func accept() {
        let client = Glibc.accept(listener, nil, nil)
        guard client >= 0 else { return }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        _ = fcntl(client, F_SETFL, O_NONBLOCK)
        if clients.count == SwitchLoop.mostClients { hangUp(clients[0]) }
        clients.append(client)
    }

    private func hangUp(_ client: Int32) {
        close(client)
        clients.removeAll { $0 == client }
    }

    // Whether it was asked to end.
    private func answer(_ client: Int32) -> Bool {
        defer { hangUp(client) }
        var packet = [UInt8](repeating: 0, count: SwitchRequest.longest)
        let count = recv(client, &packet, packet.count, Int32(MSG_DONTWAIT))
        guard count > 0, let request = try? JSONDecoder().decode(SwitchRequest.self, from: Data(packet.prefix(count)))
        else { return false }
        let answer = reply(to: request)
        if request == .end { place.remove(self) }
        guard let text = try? JSONEncoder().encode(answer) else { return false }
        var size: Int32 = 1 << 20
        setsockopt(client, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        _ = text.withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        return request == .end
    }
}
