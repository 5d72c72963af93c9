import Glibc
import KilnDocuments
import KilnEngine
import KilnModel
import KilnSystem

/// `freeze`: SIGSTOP to the process of a machine, as an overloaded host would let it stand still.
struct Freeze: FaultAction {
    static let kind = FaultKind(
        word: "freeze",
        about: "Lets the process of a machine stand still; it goes on where it was.",
        fields: { Schema.object(MachineFields.self, $0) },
        decode: { Freeze($0, $1) }
    )

    private let target: MachineTarget

    init?(_ value: Value, _ reader: FaultReader) {
        guard let target = MachineFields.target(value, reader) else { return nil }
        self.target = target
    }

    var summary: String { "freeze \(target.words)" }
    var servers: [Name] { [target.server] }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        let (machine, processes) = (try ground.machine(target), ground.host)
        let pid = try ground.process(of: machine)
        let isSent = processes.send(SIGSTOP, to: pid)
        // Each of its threads stops by itself.
        let isStill = try await FaultGround.awaits(isSent ? .seconds(5) : .zero) {
            processes.state(of: pid) == .stopped
        }
        return StruckFault(
            proof: { isStill ? "the process of \(machine), \(pid), stood still" : nil },
            undo: { try await Freeze.release(pid, machine, ground) }
        )
    }

    /// Lets it go on; one that has ended meanwhile needs nothing, and its number may be another process's by now.
    private static func release(_ pid: Int32, _ machine: MachineID, _ ground: FaultGround) async throws {
        let holders = try ground.parts.holders.holders(of: ground.engine.rootOverlay(machine))
        guard holders.contains(where: { $0.pid == pid }), ground.host.state(of: pid) != .gone else { return }
        _ = ground.host.send(SIGCONT, to: pid)
        let goesOn = try await FaultGround.awaits(.seconds(5)) { ground.host.state(of: pid) != .stopped }
        guard goesOn else {
            throw KilnError(
                .faultNotUndone,
                "\(machine) still stands still",
                hint: "let it go on: 'kill -CONT \(pid)'",
                exit: .halted
            )
        }
    }
}
