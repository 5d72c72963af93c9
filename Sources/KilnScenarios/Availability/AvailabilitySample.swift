import KilnEngine
import KilnModel
import KilnSystem

/// How a request failed.
public enum RequestFailure: String, Sendable, Hashable, Codable, CaseIterable, CodingKeyRepresentable {
    /// Nobody took the connection.
    case refused
    /// A connection that stood was broken off.
    case reset
    /// It was closed before the answer, or within it.
    case closed
    /// No answer came in time.
    case timeout
    /// What came is no answer.
    case garbled
    /// An answer, but not the expected one.
    case unexpected
    /// Anything else.
    case other

    init(_ kind: NoAnswer.Kind) {
        self =
            switch kind {
            case .refused: .refused
            case .reset: .reset
            case .closed: .closed
            case .timeout: .timeout
            case .garbled: .garbled
            case .other: .other
            }
    }
}

/// One request to a service and what came of it; times count from the first request.
public struct AvailabilitySample: Sendable, Hashable {
    /// What came of it.
    public enum Outcome: Sendable, Hashable {
        /// The expected answer, of a version where it says so.
        case answered(version: String?)
        /// No answer, or another.
        case failed(RequestFailure)
        /// It gave way to a later one while too many waited, so nobody knows.
        case givenUp
    }

    /// Which one it is, from 0.
    public let number: Int
    /// Over which connection it went.
    public let connection: ConnectionUse
    /// When it was to be made.
    public let due: Duration
    /// When it was over.
    public let ended: Duration
    /// What came of it.
    public let outcome: Outcome

    /// A sample from its parts.
    public init(number: Int, connection: ConnectionUse, due: Duration, ended: Duration, outcome: Outcome) {
        self.number = number
        self.connection = connection
        self.due = due
        self.ended = ended
        self.outcome = outcome
    }

    /// Whether the expected answer came.
    var isAnswered: Bool { if case .answered = outcome { true } else { false } }

    /// How it failed, where it did.
    var failure: RequestFailure? { if case .failed(let kind) = outcome { kind } else { nil } }
}

extension AvailabilitySample.Outcome {
    /// How much of what an answer calls its version is kept, in characters.
    static let longestVersion = 64

    /// What an exchange means for a plan.
    public init(_ exchange: Result<HTTPAnswer, NoAnswer>, for plan: AvailabilityPlan) {
        switch exchange {
        case .failure(let failure): self = .failed(RequestFailure(failure.kind))
        case .success(let answer):
            guard answer.finding(for: plan.request) == .holds else {
                self = .failed(.unexpected)
                return
            }
            self = .answered(version: plan.version.flatMap { AvailabilitySample.Outcome.version(of: answer, $0) })
        }
    }

    // Whatever the peer says, it is one short line.
    private static func version(of answer: HTTPAnswer, _ place: AvailabilityPlan.VersionPlace) -> String? {
        let said =
            switch place {
            case .header(let name): Array((answer.headers[name] ?? "").utf8)
            case .body: answer.body
            }
        let line = Printable.text(said.prefix(4 * longestVersion)).split(separator: "\n").first
        return line.map { String($0.prefix(longestVersion)) }
    }
}
