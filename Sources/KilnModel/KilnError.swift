/// An error that a user of Kiln sees: what is wrong, with what, and what to do next.
///
/// Adapters translate the errors of libraries into this type; nothing above them matches on texts.
public struct KilnError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What it is about; part of the command line's contract.
    public let code: ErrorCode
    /// One sentence that names the subject and says what was expected and what was found.
    public let message: String
    /// What to do next.
    public let hint: String?
    /// What caused it, in the words of the layer below.
    public let cause: String?
    /// The exit code of a command that ends with this error.
    public let exit: ExitCode

    /// An error with its code, message and next step.
    public init(
        _ code: ErrorCode,
        _ message: String,
        hint: String? = nil,
        cause: String? = nil,
        exit: ExitCode = .internalError
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
        self.exit = exit
    }

    /// The message, its cause and the hint, a line each.
    public var description: String {
        [message, cause.map { "cause: \($0)" }, hint.map { "next: \($0)" }]
            .compactMap { $0 }.joined(separator: "\n")
    }
}

/// The exit codes of the command line; every one has one meaning.
public enum ExitCode: Int32, Sendable, Codable, CaseIterable {
    /// Done, or passed.
    case done = 0
    /// An expectation was not met.
    case unmet = 1
    /// Acknowledged data is gone or damaged.
    case dataLoss = 5
    /// A change was given up before the handover of the volumes; what served before serves on.
    case aborted = 10
    /// A change failed after the volumes had moved, and the old generation serves again.
    case reverted = 11
    /// Something else holds what the command needs; the message names it.
    case blocked = 12
    /// Neither way forward nor back was safe; a person has to decide.
    case halted = 13
    /// The command line was not understood.
    case usage = 64
    /// A file that the user wrote is invalid.
    case invalidFile = 65
    /// The hypervisor can't be reached.
    case unreachable = 69
    /// Anything that is Kiln's own fault, or a host that fails in an unforeseen way.
    case internalError = 70
    /// A deadline passed.
    case deadline = 75
    /// The user interrupted the command.
    case interrupted = 130
}
