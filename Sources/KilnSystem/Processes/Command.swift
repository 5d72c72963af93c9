import Foundation
import KilnModel

/// One run of an outside program: an argument vector, no shell, a deadline, bounded output.
///
/// Every program that Kiln waits for is run by this; see ``ChildProcess`` for those that outlive Kiln.
public struct Command: Sendable {
    /// What the program may use up, enforced by the kernel through `prlimit`.
    public struct Limits: Sendable, Hashable {
        /// Processor time in seconds.
        public let processorSeconds: Int
        /// Address space.
        public let addressSpace: ByteCount
        /// How large it may make a file; nothing means as large as it likes.
        public let fileSize: ByteCount?

        /// Limits for one run.
        public init(processorSeconds: Int, addressSpace: ByteCount, fileSize: ByteCount? = nil) {
            self.processorSeconds = processorSeconds
            self.addressSpace = addressSpace
            self.fileSize = fileSize
        }

        /// Enough for any honest disk image.
        ///
        /// A crafted header can make qemu-img allocate or loop without end.
        public static let diskImage = Limits(processorSeconds: 900, addressSpace: .mebibytes(4096))
    }

    /// Whom a program runs as.
    public struct User: Sendable, Hashable {
        /// The numeric user id.
        public let uid: UInt32
        /// The numeric group id.
        public let gid: UInt32

        /// A user by both ids.
        public init(uid: UInt32, gid: UInt32) {
            self.uid = uid
            self.gid = gid
        }
    }

    /// What the program sees of this process's environment.
    public enum Surroundings: Sendable, Hashable {
        /// Nothing: variables that lead to the same words everywhere.
        case clean
        /// Nothing but what is clean, and these: secrets among them are seen by nobody else, unlike arguments.
        case only([String: String])
        /// All of it, with another language and path, and with more variables.
        case inherited([String: String])
    }

    /// What a program left behind.
    public struct Output: Sendable, Hashable {
        /// The exit status, or 128 plus the signal that ended it.
        public let status: Int32
        /// The start of what it wrote to standard output.
        public let output: [UInt8]
        /// The end of what it wrote to standard error.
        public let errors: [UInt8]

        /// Standard output as text, made safe to print.
        public var text: String { Printable.text(output, limit: Command.keptBytes) }
    }

    /// The program: a path, or a name that is looked up on ``ProgramPath`` only.
    public let program: String
    /// Its arguments.
    public let arguments: [String]
    /// How long it may take; it is killed then.
    public var deadline: Duration
    /// What it may use up.
    public let limits: Limits?
    /// Whom it runs as, without any privilege; nothing means as this process does.
    public let user: User?
    /// What it sees of the environment.
    public var surroundings = Surroundings.clean
    /// How long it has to tidy up, after it was told to end, before it is killed.
    public var grace = Duration.zero
    /// Whether the kernel tells it to end should this process be killed.
    public var endsWithParent = false

    /// How many bytes of each stream are kept; the rest is read and dropped, so that the program never blocks on it.
    public static let keptBytes = 256 << 10

    /// A run that is still to come.
    public init(
        _ program: String,
        _ arguments: [String],
        deadline: Duration = .seconds(60),
        limits: Limits? = nil,
        user: User? = nil
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
    public func run() async throws -> Output {
        let output = try await result()
        guard output.status == 0 else { throw failure(output) }
        return output
    }

    /// Where the program is.
    ///
    /// - Throws: `KilnError` with code `tool.missing`.
    public static func path(of program: String) throws -> String {
        if program.contains("/") { return program }
        guard let path = ProgramPath.find(program) else {
            throw KilnError(
                .toolMissing,
                "the program \(program) is not on this host (looked in \(ProgramPath.text))",
                hint: "run 'make setup', or install the Debian package that carries \(program)"
            )
        }
        return path
    }

    /// What to throw for an exit status that is no result.
    public func failure(_ output: Output) -> KilnError {
        let says = Printable.text(output.errors.isEmpty ? output.output : output.errors)
        return KilnError(
            .toolFailed,
            "\(program) \(arguments.first ?? "") ended with exit status \(output.status), expected 0",
            cause: says.isEmpty ? nil : says
        )
    }
}
