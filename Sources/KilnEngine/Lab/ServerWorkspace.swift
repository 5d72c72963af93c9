import Foundation
import KilnModel

/// One server at work: its paths, journal and volumes, and what can be done to one of its machines.
///
/// Whoever changes something through it holds the server's lock.
struct ServerWorkspace: Sendable {
    let id: ServerID
    let state: StateDirectory
    let parts: EngineParts

    var journal: ServerJournal { ServerJournal(path: state.server(id) + "/journal") }
    var volumes: VolumeStore { VolumeStore(state: state, disks: parts.disks, holders: parts.holders) }

    /// Takes the server's lock, or throws `lock.held`.
    func lock() throws -> FileLock {
        try DurableFile.makeDirectory(state.server(id))
        return try FileLock(state.server(id) + "/lock", subject: "server \(id)")
    }

    /// What a generation was made from.
    func record(_ machine: MachineID) throws -> GenerationRecord {
        let path = state.generation(machine) + "/generation.json"
        guard let record = try DurableFile.readJSON(GenerationRecord.self, from: path) else {
            throw KilnError("state.missing", "there is no record of \(machine): \(path)", exit: .halted)
        }
        return record
    }

    /// The volumes that a machine mounts.
    func volumeNames(of machine: MachineID) throws -> [Name] { try record(machine).spec.volumes.keys.sorted() }

    /// The published ports of a machine by name: the lab may have been declared with others since.
    func publishedPorts(of machine: MachineID) throws -> [Name: UInt16] {
        try record(machine).ports ?? portBook().ports[id.server] ?? [:]
    }

    /// The forwards of a machine's published ports.
    func forwards(of machine: MachineID) throws -> [PortForward] {
        let published = try publishedPorts(of: machine)
        return try record(machine).spec.ports.sorted { $0.key < $1.key }.compactMap { name, port in
            published[name].map { PortForward(host: $0, guest: port.guest) }
        }
    }

    /// The lab's published ports.
    func portBook() throws -> PortBook {
        try DurableFile.readJSON(PortBook.self, from: state.lab(id.lab) + "/ports.json") ?? PortBook()
    }
}
