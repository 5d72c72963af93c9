import Foundation
import Glibc
import KilnFaults
import KilnModel
import KilnOutside
import KilnSystem

/// A machine, as the name of its domain tells it.
struct Embodiment: Hashable, Sendable {
    /// The member that it embodies, 0 of a server that has no others.
    let ordinal: Int
    let generation: Int
}

extension Embodiment {
    /// Reads it from the arguments of a QEMU; nothing where that is no machine of the server.
    init?(_ machine: Processes.Process) {
        let name = machine.arguments.first { $0.hasPrefix("guest=kiln.sweep.web.") }
        let rest = name?.dropFirst("guest=kiln.sweep.web.".count).split(separator: ",").first
        let numbers = rest?.split(separator: ".").map { Int($0) } ?? []
        guard (1...2).contains(numbers.count), let generation = numbers.last.flatMap(\.self),
            let ordinal = numbers.count == 1 ? 0 : numbers.first.flatMap(\.self)
        else { return nil }
        self.init(ordinal: ordinal, generation: generation)
    }
}

/// A member of a home's server: where its files are, what it is called, which machines are its own.
struct LaneMember: Sendable {
    let home: LaneHome
    /// Which one; nothing where the server has no others.
    let ordinal: Int?

    /// Its number, 0 for the first.
    var index: Int { ordinal ?? 0 }
    /// What commands for one member call it.
    var name: String { ordinal.map { "\(LaneServer.name).\($0)" } ?? LaneServer.name }
    /// How the instance-ids of its machines begin.
    var host: String { index == 0 ? "web" : "web-\(index)" }
    // What belongs to the first is called as in a server without members.
    var folder: String { index == 0 ? home.server : "\(home.server)/members/\(index)" }
    var generations: String { folder + "/generations" }
    var journal: String { folder + "/journal" }
    var volume: String { home.volumes + "/sweep/data" + (index == 0 ? "" : "-\(index)") }

    /// What a generation is called in a finding.
    func title(_ generation: Int) -> String {
        "generation \(generation)" + (ordinal == nil ? "" : " of \(name)")
    }

    /// The name of a generation's domain.
    func domain(_ generation: Int) -> String { "kiln.sweep.web." + (index == 0 ? "" : "\(index).") + "\(generation)" }

    /// Its QEMU processes.
    var machines: [Processes.Process] { home.machines.filter { Embodiment($0)?.ordinal == index } }

    /// Those of them that have a layer of its volume open for writing.
    var writers: [Processes.Process] {
        machines.filter { LaneHome.isLayer(of: volume, among: Processes.openForWriting($0.pid)) }
    }

    /// The names of the layers of its volume, the active one last, as `volume.json` says.
    func layers() throws -> [String] {
        struct Record: Decodable { let layers: [String] }
        return try JSONDecoder().decode(Record.self, from: try contents(volume + "/volume.json")).layers
    }

    /// What the ledger sockets of its machines are called in the folder of all sockets: kiln names them by the domain.
    var ledgerSockets: Set<String> {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: generations)) ?? []
        return Set(
            numbers.compactMap(Int.init).map { String(StableHash.fnv1a(domain($0)), radix: 16) + ".ledger" }
        )
    }

    /// Ends the QEMU of a generation, and returns once it is dead.
    func kill(_ generation: Int) throws {
        guard let victim = machines.first(where: { Embodiment($0)?.generation == generation }) else {
            throw Failure("\(title(generation)), which was to be killed, does not run")
        }
        let host = LinuxHost()
        guard host.send(SIGKILL, to: victim.pid) else { throw Failure("QEMU of \(title(generation)) can't be killed") }
        try awaitThat("QEMU of \(title(generation)) is dead", within: .seconds(10)) {
            host.state(of: victim.pid) == .gone
        }
    }
}
