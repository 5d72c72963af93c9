import Foundation
import KilnModel
import KilnSystem

/// One server at work: its paths, journal and volumes, and what can be done to one of its machines.
///
/// Whoever changes something through it holds the server's lock.
struct ServerWorkspace: Sendable {
    let id: MemberID
    let state: StateDirectory
    let parts: EngineParts

    var journal: ServerJournal { ServerJournal(path: state.member(id) + "/journal") }
    var volumes: VolumeStore { VolumeStore(state: state, disks: parts.disks, holders: parts.holders) }

    /// The history that the journal tells, where that is all there was.
    ///
    /// - Parameter lent: the generations that volumes are lent to, where that was looked up already, for many servers at once.
    /// - Throws: `journal.short` where it does not tell of a generation that was made: its end must have been cut off.
    func history(lent: [MemberID: Set<Generation>]? = nil) throws -> ServerHistory {
        // In this order: whoever looks without the lock must not miss what began meanwhile.
        let made = (try? FileManager.default.contentsOfDirectory(atPath: state.member(id) + "/generations")) ?? []
        let lent = (lent ?? volumes.lentGenerations())[id] ?? []
        let last = (made.compactMap(Int.init) + lent.map(\.number)).max() ?? 0
        let history = try journal.history()
        guard last <= history.highest else {
            throw KilnError(
                .journalShort,
                "the journal of \(id) ends with generation \(history.highest), but there was a generation \(last)",
                hint: "its end was cut off: put \(journal.path) back as it was, or give the machines up and keep the "
                    + "volumes with 'kiln down \(id.lab)'",
                exit: .halted
            )
        }
        return history
    }

    /// Takes the server's lock, or throws `lock.held`.
    func lock() throws -> FileLock {
        try DurableFile.makeDirectory(state.member(id))
        return try FileLock(state.member(id) + "/lock", subject: "server \(id)")
    }

    /// What a generation was made from.
    func record(_ machine: MachineID) throws -> GenerationRecord {
        let path = state.generation(machine) + "/generation.json"
        guard let record = try DurableFile.readJSON(GenerationRecord.self, from: path) else {
            throw KilnError(.stateMissing, "there is no record of \(machine): \(path)", exit: .halted)
        }
        return record
    }

    /// The volumes that a machine mounts, in the order in which they have to be mounted.
    func volumeNames(of machine: MachineID) throws -> [Name] { try record(machine).spec.mounts.map(\.volume) }

    /// The published ports of a machine by name: the lab may have been declared with others since.
    func publishedPorts(of machine: MachineID) throws -> [Name: UInt16] {
        try record(machine).ports ?? portBook().ports[id.server] ?? [:]
    }

    /// The forwards of the ports by which a machine itself is reached.
    func forwards(of machine: MachineID) throws -> [PortForward] {
        let ports = try ports(of: machine)
        return try record(machine).spec.ports.sorted { $0.key < $1.key }.compactMap { name, port in
            ports[name].map { PortForward(host: $0, guest: port.guest, transport: port.transport) }
        }
    }

    /// The published ports that a machine has itself and its connections come through; datagrams find nobody for a moment, and need
    /// no reservation.
    func tcpPorts(of machine: MachineID) throws -> [UInt16] {
        guard try frontSpec(of: machine) == nil else { return [] }
        return try forwards(of: machine).filter { $0.transport == .tcp }.map(\.host)
    }

    /// The lab's published ports.
    func portBook() throws -> PortBook {
        try DurableFile.readJSON(PortBook.self, from: state.lab(id.lab) + "/ports.json") ?? PortBook()
    }
}
