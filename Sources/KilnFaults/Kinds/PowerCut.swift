import Glibc
import KilnDocuments
import KilnModel
import KilnSystem

/// `power-cut`: SIGKILL to the process of a machine, as a host's power supply would end it.
///
/// What the guest had not written is lost; what QEMU had handed to the host's page cache is not.
package struct PowerCut: FaultAction {
    static let kind = FaultKind(
        word: "power-cut",
        about: "Kills the process of a machine.",
        fields: { Schema.object(MachineFields.self, $0) },
        decode: { PowerCut($0, $1) }
    )

    private let target: MachineTarget

    init?(_ value: Value, _ reader: FaultReader) {
        guard let target = MachineFields.target(value, reader) else { return nil }
        self.target = target
    }

    package var summary: String { "power-cut \(target.words)" }
    package var servers: [Name] { [target.server] }
    package var isMomentary: Bool { true }
    package var endsMachine: Bool { true }

    package func strike(_ ground: FaultGround) async throws -> StruckFault {
        let machine = try ground.machine(target)
        let pid = try ground.process(of: machine)
        guard try await PowerCut.end(pid, ground.host) else { return StruckFault(proof: { nil }) }
        return StruckFault(proof: { "the process of \(machine), \(pid), is gone" })
    }

    /// Kills a process, and waits until it is gone; false where it is not in time, or could not be reached.
    package static func end(_ pid: Int32, _ processes: any HostControl) async throws -> Bool {
        guard processes.send(SIGKILL, to: pid) else { return false }
        return try await FaultGround.awaits(.seconds(10)) { processes.state(of: pid) == .gone }
    }
}

/// The fields of a fault of a machine.
enum MachineFields: String, FileField {
    case server, machine

    static let required: [MachineFields] = [.server]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .machine: MachineTarget.schema
        }
    }

    static func target(_ value: Value, _ reader: FaultReader) -> MachineTarget? {
        guard let fields = Fields<MachineFields>(value, "a map with 'server'") else { return nil }
        return MachineTarget(server: reader.server(fields[.server]), role: fields[.machine])
    }
}
