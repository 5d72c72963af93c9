import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite(
    "The process of a switch",
    .enabled(if: DaemonTestHome.executable != nil && (try? MachineOwner.current()) != nil)
)
struct SwitchProcessTests {
    /// A card without a machine.
    private final class Card: Sendable {
        let port: SwitchPort
        private let descriptor: Int32

        init(_ port: SwitchPort) throws {
            self.port = port
            descriptor = try UnixSocket.bound(to: port.card, .datagrams)
            // The switch may run as another user than the tests.
            chmod(port.card, 0o777)
        }

        deinit { close(descriptor) }

        @discardableResult
        func send(_ frame: [UInt8]) throws -> Bool {
            let address = try UnixAddress(port.socket)
            return address.with { sendto(descriptor, frame, frame.count, Int32(MSG_DONTWAIT), $0, $1) } >= 0
        }

        /// The next frame, or nothing within the time; announcements are left out.
        func receive(within limit: Duration = .seconds(5)) -> [UInt8]? {
            let end = ContinuousClock.now + limit
            while ContinuousClock.now < end {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&waiting, 1, 20) > 0 else { continue }
                var frame = [UInt8](repeating: 0, count: 2048)
                let count = recv(descriptor, &frame, frame.count, 0)
                if count > 14, frame[12] != 8 || frame[13] != 6 { return Array(frame.prefix(count)) }
            }
            return nil
        }
    }

    private struct World {
        let home: DaemonTestHome
        let state: StateDirectory
        let networks: LocalNetworks
        let lan: NetworkID

        init() throws {
            home = try DaemonTestHome()
            let owner = try MachineOwner.current()
            state = try KilnHome(path: home.path + "/home", owner: owner).prepared()
            lan = NetworkID(lab: try Name("lab"), network: try Name("lan"))
            try DurableFile.makeDirectory(state.lab(lan.lab))
            networks = LocalNetworks(state: state, owner: owner, executable: try #require(DaemonTestHome.executable))
        }

        func card(_ server: String, _ host: UInt8) throws -> Card {
            let machine = MemberID(lab: lan.lab, server: try Name(server)).machine(Generation(1))
            let address = NetworkAddress(64, 7, host: host)
            return try Card(
                SwitchPort(
                    machine: machine,
                    mac: MACAddress(of: address),
                    address: address,
                    socket: state.portSocket(machine, on: lan.network),
                    card: state.cardSocket(machine, on: lan.network),
                    isUp: true
                )
            )
        }

        /// Sends a frame until it arrives.
        func passes(_ sender: Card, _ receiver: Card, within limit: Duration) throws -> Bool {
            let frame = receiver.port.mac.bytes + sender.port.mac.bytes + [0x86, 0xdd, UInt8.random(in: .min ... .max)]
            let end = ContinuousClock.now + limit
            while ContinuousClock.now < end {
                try sender.send(frame)
                if receiver.receive(within: .milliseconds(50)) == frame { return true }
            }
            return false
        }

        /// The process that is at work once that one is not any more.
        func successor(of pid: Int32) async throws -> Int32 {
            let end = ContinuousClock.now + .seconds(5)
            while true {
                if let found = try? await networks.status(lan)?.pid, found != pid { return found }
                try #require(ContinuousClock.now < end, "nobody took the place of switch \(pid)")
                try await Task.sleep(for: .milliseconds(20))
            }
        }

        func parent(of pid: Int32) throws -> Int32 {
            let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            let fields = try #require(text.split(separator: ")").last).split(separator: " ")
            return try #require(Int32(fields[1]))
        }
    }

    private func withSwitch(_ body: (World, Card, Card) async throws -> Void) async throws {
        let world = try World()
        let (web, db) = (try world.card("web", 10), try world.card("db", 11))
        try await world.networks.change(world.lan, [.plug(web.port), .plug(db.port)])
        do {
            try await body(world, web, db)
        } catch {
            try? await world.networks.end(world.lan)
            throw error
        }
        try await world.networks.end(world.lan)
        #expect(try await world.networks.status(world.lan) == nil)
        let left = try FileManager.default.contentsOfDirectory(atPath: world.state.sockets).filter {
            !$0.hasSuffix(".card")
        }
        #expect(left.isEmpty, "\(left)")
        #expect(access(world.state.switchLock(world.lan), F_OK) != 0)
        try FileManager.default.removeItem(atPath: world.home.path)
    }

    @Test(
        "frames pass between two cards, forged ones and those of strangers don't, and are counted; it runs unprivileged"
    )
    func frames() async throws {
        try await withSwitch { world, web, db in
            #expect(try world.passes(web, db, within: .seconds(5)))
            #expect(try world.passes(db, web, within: .seconds(5)))
            try web.send(db.port.mac.bytes + db.port.mac.bytes + [0x86, 0xdd, 1])
            // Another socket than the port's card.
            let stranger = try UnixSocket.bound(to: world.state.sockets + "/stranger.card", .datagrams)
            let frame = db.port.mac.bytes + web.port.mac.bytes + [0x86, 0xdd, 2]
            _ = try UnixAddress(web.port.socket).with { sendto(stranger, frame, frame.count, 0, $0, $1) }
            close(stranger)
            #expect(db.receive(within: .milliseconds(300)) == nil)
            let status = try #require(try await world.networks.status(world.lan))
            let port = try #require(status.ports.first { $0.port.machine == web.port.machine })
            #expect(port.dropped["forged"] == 2 && port.sent > 0)
            var found = stat()
            #expect(stat("/proc/\(status.pid)", &found) == 0)
            #expect(found.st_uid == (try MachineOwner.current()).uid && found.st_uid != 0)
        }
    }

    @Test(
        "whichever of its two processes is killed, frames pass again within five seconds, by the same paths",
        arguments: [false, true]
    )
    func killed(parent: Bool) async throws {
        try await withSwitch { world, web, db in
            #expect(try world.passes(web, db, within: .seconds(5)))
            for _ in 0..<3 {
                let pid = try #require(try await world.networks.status(world.lan)?.pid)
                kill(parent ? try world.parent(of: pid) : pid, SIGKILL)
                let next = try await world.successor(of: pid)
                // A switch whose parent is gone is the next one's parent.
                if parent { #expect(try world.parent(of: next) == pid) }
                #expect(try world.passes(web, db, within: .seconds(5)))
                #expect(try world.passes(db, web, within: .seconds(5)))
            }
        }
    }

    @Test("a fault outlives the process that it was told to, and frames are late by it")
    func keepsFaults() async throws {
        try await withSwitch { world, web, db in
            try await world.networks.change(world.lan, [.fault(db.port.server, LinkFault(isCut: true))])
            let pid = try #require(try await world.networks.status(world.lan)?.pid)
            kill(pid, SIGKILL)
            _ = try await world.successor(of: pid)
            #expect(try !world.passes(web, db, within: .milliseconds(500)))
            #expect(try #require(try await world.networks.status(world.lan)).faults[db.port.server]?.isCut == true)
            try await world.networks.change(world.lan, [.fault(db.port.server, LinkFault(delay: 300))])
            let begin = ContinuousClock.now
            try web.send(db.port.mac.bytes + web.port.mac.bytes + [0x86, 0xdd, 9])
            #expect(db.receive()?.last == 9 && ContinuousClock.now - begin >= .milliseconds(300))
        }
    }

    @Test("a machine that comes and goes, and one that does not listen, disturb nobody; a flood is bounded")
    func comesAndGoes() async throws {
        try await withSwitch { world, web, db in
            unlink(db.port.card)
            for _ in 0..<2000 { try web.send(db.port.mac.bytes + web.port.mac.bytes + [0x86, 0xdd, 1]) }
            let again = try Card(db.port)
            #expect(try world.passes(web, again, within: .seconds(5)))
            // Nobody reads: the queue in the kernel and that of the switch are full, and the rest is dropped.
            for _ in 0..<20_000 { try web.send(db.port.mac.bytes + web.port.mac.bytes + [0x86, 0xdd, 1]) }
            let status = try #require(try await world.networks.status(world.lan))
            #expect(status.ports.contains { $0.dropped["unreachable"] ?? 0 > 0 })
            #expect(status.ports.contains { $0.dropped["full"] ?? 0 > 0 })
            #expect(try world.passes(again, web, within: .seconds(5)))
        }
    }

    @Test("what is no request is hung up on, and the switch goes on")
    func garbage() async throws {
        try await withSwitch { world, web, db in
            for _ in 0..<50 {
                let connection = try UnixSocket.connect(to: world.state.switchSocket(world.lan), .packets)
                let bytes = (0..<1000).map { _ in UInt8.random(in: .min ... .max) }
                _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                close(connection)
            }
            #expect(try world.passes(web, db, within: .seconds(5)))
        }
    }

    @Test("a change that can't be made changes nothing, and says why")
    func allOrNothing() async throws {
        try await withSwitch { world, web, db in
            let machine = MemberID(lab: world.lan.lab, server: try Name("bad")).machine(Generation(1))
            let bad = SwitchPort(
                machine: machine,
                mac: db.port.mac,
                address: db.port.address,
                socket: "/nowhere/x.port",
                card: "/nowhere/x.card",
                isUp: true
            )
            let error = await #expect(throws: KilnError.self) {
                try await world.networks.change(world.lan, [.unplug(web.port.machine), .plug(bad)])
            }
            #expect(error?.code == .networkSwitchFailed)
            #expect(try world.passes(web, db, within: .seconds(5)))
        }
    }

    @Test("many commands at once start one switch; one whose lab is gone is found, told of and ended")
    func onceAndGone() async throws {
        let world = try World()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { try await world.networks.change(world.lan, []) } }
            try await group.waitForAll()
        }
        let pid = try #require(try await world.networks.status(world.lan)?.pid)
        #expect(try await world.networks.endAbandoned(dryRun: false) { [world.lan] }.isEmpty)
        try FileManager.default.removeItem(atPath: world.state.lab(world.lan.lab))
        #expect(try await world.networks.endAbandoned(dryRun: true) { [] }.count == 2)
        #expect(try await world.networks.status(world.lan)?.pid == pid)
        _ = try await world.networks.endAbandoned(dryRun: false) { [] }
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.state.sockets).isEmpty)
        try FileManager.default.removeItem(atPath: world.home.path)
    }
}
