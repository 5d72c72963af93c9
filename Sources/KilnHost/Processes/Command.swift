import Foundation
import KilnModel
import KilnSystem
import Subprocess

/// One run of an outside program: an argument vector, no shell, a clean environment, a deadline, bounded output.
struct Command: Sendable {
    /// What the program may use up, enforced by the kernel through `prlimit`.
    struct Limits: Sendable, Hashable {
        /// Processor time in seconds.
        let processorSeconds: Int
        /// Address space.
        let addressSpace: ByteCount

        /// Enough for any honest disk image.
        ///
        /// A crafted header can make qemu-img allocate or loop without end.
        static let diskImage = Limits(processorSeconds: 900, addressSpace: .mebibytes(4096))
    }

    /// What a program left behind.
    struct Output: Sendable, Hashable {
        /// The exit status, or 128 plus the signal that ended it.
        let status: Int32
        /// The start of what it wrote to standard output.
        let output: [UInt8]
        /// The end of what it wrote to standard error.
        let errors: [UInt8]

        /// Standard output as text, made safe to print.
        var text: String { Printable.text(output, limit: Command.keptBytes) }
    }

    /// The name of the program, looked up on ``DaemonLayout/programPath`` only.
    let program: String
    /// Its arguments.
    let arguments: [String]
    /// How long it may take; it is killed then.
    let deadline: Duration
    /// What it may use up.
    let limits: Limits?
    /// Whom it runs as, without any privilege; nothing means as this process does.
    let user: MachineOwner?

    /// How many bytes of each stream are kept; the rest is read and dropped, so that the program never blocks on it.
    static let keptBytes = 256 << 10

    init(
        _ program: String,
        _ arguments: [String],
        deadline: Duration = .seconds(60),
        limits: Limits? = nil,
        user: MachineOwner? = nil
    ) {
        self.program = program
        self.arguments = arguments
        self.deadline = deadline
        self.limits = limits
        self.user = user
    }

    /// Runs the program and insists on exit status 0.
    ///
    /// - Throws: `KilnError` with code `tool.missing`, `tool.failed` or `tool.deadline`; `CancellationError`. The program is
    ///   dead then.
    @discardableResult
    func run() async throws -> Output {
        let output = try await result()
        guard output.status == 0 else { throw failure(output) }
        return output
    }

    /// Runs the program.
    ///
    /// Any exit status is a result, not an error.
    ///
    /// - Throws: `KilnError` with code `tool.missing`, `tool.failed` (it could not be started) or `tool.deadline`;
    ///   `CancellationError`. The program is dead then.
    func result() async throws -> Output {
        let path = try Command.path(of: program)
        do {
            return try await withDeadline(deadline, operation: "run \(program)") { try await execute(path) }
        } catch is DeadlineExceeded {
            throw KilnError(
                "tool.deadline",
                "\(program) \(arguments.first ?? "") was still running after \(deadline) and was killed",
                exit: .deadline
            )
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            throw KilnError("tool.failed", "\(program) could not be run", cause: "\(error)")
        }
    }

    /// Where the program is.
    ///
    /// - Throws: `KilnError` with code `tool.missing`.
    static func path(of program: String) throws -> String {
        guard let path = DaemonLayout.program(program) else {
            throw KilnError(
                "tool.missing",
                "the program \(program) is not on this host (looked in \(DaemonLayout.programPath))",
                hint: "run 'make setup', or install the Debian package that carries \(program)"
            )
        }
        return path
    }

    /// What to throw for an exit status that is no result.
    func failure(_ output: Output) -> KilnError {
        let says = Printable.text(output.errors.isEmpty ? output.output : output.errors)
        return KilnError(
            "tool.failed",
            "\(program) \(arguments.first ?? "") ended with exit status \(output.status), expected 0",
            cause: says.isEmpty ? nil : says
        )
    }
}
