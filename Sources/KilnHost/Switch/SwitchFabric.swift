import KilnModel

/// Where each frame goes, and which go nowhere.
///
/// It need not learn who is where, nor flood what it does not know: it is told, and a card can send from no other address than
/// its own. It belongs to the one thread of a switch.
final class SwitchFabric {
    /// A port at work.
    final class Port {
        fileprivate(set) var told: SwitchPort
        fileprivate let mac: UInt64
        fileprivate var frames: FrameBudget
        fileprivate var forMany: FrameBudget
        fileprivate(set) var received: UInt64 = 0
        var sent: UInt64 = 0
        private var dropped: [SwitchStatus.Drop: UInt64] = [:]

        fileprivate init(_ told: SwitchPort, at now: ContinuousClock.Instant) {
            self.told = told
            mac = told.mac.bytes.reduce(0) { $0 << 8 | UInt64($1) }
            frames = FrameBudget(perSecond: 20_000, burst: 4000, at: now)
            forMany = FrameBudget(perSecond: 1000, burst: 500, at: now)
        }

        func drop(_ why: SwitchStatus.Drop) { dropped[why, default: 0] += 1 }

        var status: SwitchStatus.Port {
            let counts = dropped.map { ($0.key.rawValue, $0.value) }
            return SwitchStatus.Port(
                port: told,
                received: received,
                sent: sent,
                dropped: Dictionary(uniqueKeysWithValues: counts)
            )
        }
    }

    /// A frame on its way to a port.
    struct Delivery {
        let port: Port
        let delay: Duration
    }

    private(set) var table = SwitchTable()
    /// The ports in the table's order.
    private(set) var ports: [Port] = []
    private var owners: [UInt32: UInt64] = [:]
    private let chance: () -> Int
    /// What decides for the links whose faults have a seed.
    private var chances: [Name: SeededChance] = [:]

    /// A fabric without ports.
    ///
    /// - Parameter chance: gives a number from 0 to 999, by which frames are lost on purpose where a fault has no seed.
    init(chance: @escaping () -> Int = { Int.random(in: 0..<1000) }) { self.chance = chance }

    /// Begins to work by another table.
    ///
    /// Nobody has to be told where an address is now: its hardware address is the server's, too, and stays the same.
    func adopt(_ next: SwitchTable, at now: ContinuousClock.Instant) {
        let before = Dictionary(ports.map { ($0.told.machine, $0) }) { first, _ in first }
        ports = next.ports.map { told in
            guard let port = before[told.machine], port.told.mac == told.mac else { return Port(told, at: now) }
            port.told = told
            return port
        }
        adoptSeeds(of: next)
        owners = ports.reduce(into: [:]) { $0[$1.told.address.number] = $1.mac }
        table = next
    }

    // A fault that stays as it is goes on where it is, whatever else changes.
    private func adoptSeeds(of next: SwitchTable) {
        for server in Set(table.faults.keys).union(next.faults.keys) {
            let seed = next.faults[server]?.seed
            guard seed != table.faults[server]?.seed else { continue }
            chances[server] = seed.map { SeededChance(seed: UInt64($0)) }
        }
    }

    private func draw(for server: Name) -> Int {
        guard let number = chances[server]?.next() else { return chance() }
        return Int(number % 1000)
    }

    /// Where a frame goes that came from a port's machine; what goes nowhere is counted.
    func deliveries(
        of frame: UnsafeRawBufferPointer,
        from port: Port,
        at now: ContinuousClock.Instant
    ) -> [Delivery] {
        port.received += 1
        guard port.told.isUp else { return dropped(.down, port) }
        guard port.frames.take(at: now) else { return dropped(.flooded, port) }
        guard let frame = EthernetFrame(frame) else { return dropped(.malformed, port) }
        guard frame.source == port.mac, isOwn(frame.claim, port) else { return dropped(.forged, port) }
        guard frame.isForMany else { return oneDelivery(frame.destination, from: port) }
        guard port.forMany.take(at: now) else { return dropped(.flooded, port) }
        return ports.filter { $0 !== port && $0.told.isUp }.flatMap { delivery(from: port, to: $0) }
    }

    // An address that is no server's may be anybody's, such as one that moves between servers.
    private func isOwn(_ claim: UInt32?, _ port: Port) -> Bool {
        guard let claim, let owner = owners[claim] else { return true }
        return owner == port.mac
    }

    private func oneDelivery(_ destination: UInt64, from port: Port) -> [Delivery] {
        let owned = ports.filter { $0.mac == destination }
        guard let target = owned.first(where: \.told.isUp) else {
            return dropped(owned.isEmpty ? .unknown : .down, port)
        }
        guard target !== port else { return dropped(.unknown, port) }
        return delivery(from: port, to: target)
    }

    // A fault counts at the port of the server whose link has it, so that it is told from those of others.
    private func delivery(from port: Port, to target: Port) -> [Delivery] {
        let links = [port, target].compactMap { port in table.faults[port.told.server].map { (port, fault: $0) } }
        if let cut = links.first(where: \.fault.isCut) { return dropped(.cut, cut.0) }
        guard !table.separates(port.told.server, target.told.server) else { return dropped(.split, port) }
        if let lost = links.first(where: {
            $0.fault.loss > 0 && draw(for: $0.0.told.server) < $0.fault.loss
        }) {
            return dropped(.lost, lost.0)
        }
        return [Delivery(port: target, delay: .milliseconds(links.reduce(0) { $0 + $1.fault.delay }))]
    }

    private func dropped(_ why: SwitchStatus.Drop, _ port: Port) -> [Delivery] {
        port.drop(why)
        return []
    }
}
