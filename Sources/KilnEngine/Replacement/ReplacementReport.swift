import KilnModel

/// What became of a replacement, or of the launch of a first generation.
public struct ReplacementReport: Sendable, Hashable, Codable {
    /// The server.
    public let server: MemberID
    /// The generation that served before.
    public let from: Generation?
    /// The generation that was to serve.
    public let to: Generation
    /// How it ended.
    public let outcome: Outcome
    /// The steps that were done, with their times.
    public let steps: [CompletedStep]
    /// Why it turned back, if it did.
    public let turn: TurnBack?
    /// What was said at the end.
    public let reason: String?
    /// The directory that holds what the new machine left behind, if it turned back.
    public let evidence: String?
    /// How the new generation followed, or was to follow, the old one.
    public let strategy: Strategy
    /// What was written between the handover and the revert, as retained volumes, where the data was to be restored.
    public let discarded: [String]
    /// The image of the generation that serves now; nothing where none does.
    public internal(set) var image: ServerStatus.Image?
    /// What is said of that generation's image and configuration.
    public internal(set) var standing: GenerationStanding?
    /// How the machine of the new generation came to run, where it was to be a clone.
    public internal(set) var launch: LaunchRecord?
}

extension ReplacementReport {
    /// Why it turned back, with what the new machine left behind that somebody may miss; nothing where it did not.
    public var why: String? {
        guard let turn else { return nil }
        return outcome == .reverted ? reason ?? turn.reason : turn.reason
    }

    /// How long all of it took: the steps that were done, and the one that failed.
    public var milliseconds: Int { Self.sum(steps) + (turn?.milliseconds ?? 0) }

    /// How long the way back took; nothing where it never turned back.
    public var millisecondsBack: Int? { turn == nil ? nil : Self.sum(steps.filter { Step.wayBack.contains($0.step) }) }

    private static func sum(_ steps: [CompletedStep]) -> Int { steps.map(\.milliseconds).reduce(0, +) }

    /// The exit code of a command that ends with this report.
    ///
    /// Where nothing was touched and it is known what is in the way, that is said instead of `.aborted`.
    public var exit: ExitCode {
        switch outcome {
        case .committed: .done
        case .halted: .halted
        // The user wanted it to stop, and it did.
        case .aborted where turn?.code == .interrupted, .reverted where turn?.code == .interrupted: .interrupted
        case .reverted: .reverted
        case .aborted: turn.flatMap { ExitCode(turnCode: $0.code) }.flatMap { $0 == .blocked ? $0 : nil } ?? .aborted
        }
    }
}

extension ExitCode {
    /// The exit code that belongs to the stable code of an error which was journaled.
    init?(turnCode: ErrorCode) {
        switch turnCode {
        case .readyTimeout, .stopTimeout: self = .deadline
        case .volumeHeld, .volumeLeased, .portTaken, .machineAlive, .lockHeld: self = .blocked
        case .interrupted: self = .interrupted
        default: return nil
        }
    }
}
