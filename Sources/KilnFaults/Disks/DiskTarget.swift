import KilnDocuments
import KilnEngine
import KilnModel

/// A disk of a machine: one of its volumes, or its root.
struct DiskTarget: Sendable {
    let machine: MachineTarget
    /// Nothing means the root.
    let volume: Name?

    init?(server value: Value?, role: Value?, volume: Value?, _ reader: FaultReader) {
        let server = reader.server(value)
        let named = volume.map { reader.volume($0, of: server) }
        guard let machine = MachineTarget(server: server, role: role), named != .some(nil) else { return nil }
        self.machine = machine
        self.volume = named ?? nil
    }

    var words: String { "\(volume.map { "the volume \($0)" } ?? "the root") of \(machine.words)" }

    /// The file that the machine writes to for it.
    func path(of machine: MachineID, _ ground: FaultGround) throws -> String {
        guard let volume else { return ground.engine.rootOverlay(machine) }
        guard let path = try ground.engine.activeLayer(of: volume, in: ground.lab.name) else {
            throw FaultGround.impossible("there is no volume \(volume) yet")
        }
        return path
    }
}

/// The fields of a fault of a disk.
enum DiskFields: String, FileField {
    case server, machine, volume

    static let required: [DiskFields] = [.server]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .machine: MachineTarget.schema
        case .volume: Schema.name("The volume; the root without it.")
        }
    }

    static func target(_ value: Value, _ reader: FaultReader) -> DiskTarget? {
        guard let fields = Fields<DiskFields>(value, "a map with 'server'") else { return nil }
        return DiskTarget(server: fields[.server], role: fields[.machine], volume: fields[.volume], reader)
    }
}
