import KilnDocuments
import KilnEngine
import KilnModel

/// How a server's latest replacement has to have gone, as its journal tells it.
struct ExpectedLatest: Sendable, Hashable {
    /// How it ended.
    let outcome: ReplacementEnd
    /// How the new generation followed the old one.
    let strategy: Strategy?
    /// What its way back was to make of the data.
    let data: DataOnRevert?
    /// Whether the command that began it was interrupted, and another one ended it.
    let isInterrupted: Bool?
    /// Whether it was rehearsed just before.
    let isRehearsed: Bool?

    /// What is wrong with it; nothing where it is as expected.
    func unmet(by history: ServerHistory) -> String? {
        // A server's first machine follows none.
        guard let latest = history.operations.last?.replacement, latest.intent.from != nil else {
            return "a replacement that is \(outcome.rawValue) expected, none found"
        }
        guard let found = latest.outcome, found.rawValue == outcome.rawValue else {
            let found = latest.outcome.map { "one that is \($0.rawValue)" } ?? "one that has not ended"
            return "a latest replacement that is \(outcome.rawValue) expected, \(found) found"
        }
        if let strategy, latest.intent.strategy != strategy {
            return
                "a latest replacement by \(strategy.rawValue) expected, one by \(latest.intent.strategy.rawValue) found"
        }
        if let data, latest.intent.dataOnRevert != data {
            return "a latest replacement that would \(data.rawValue) the data on a revert expected, one that would "
                + "\(latest.intent.dataOnRevert.rawValue) it found"
        }
        if let isRehearsed, latest.intent.isRehearsed != isRehearsed {
            return isRehearsed
                ? "a latest replacement that was rehearsed first expected, one that was not found"
                : "a latest replacement without a rehearsal expected, one that was rehearsed first found"
        }
        guard let isInterrupted, latest.wasInterrupted != isInterrupted else { return nil }
        return isInterrupted
            ? "a latest replacement whose command was interrupted expected, one that ended by itself found"
            : "a latest replacement that ended by itself expected, one whose command was interrupted found"
    }
}

extension Replacement {
    /// Whether the command that began it did not end it.
    fileprivate var wasInterrupted: Bool { isResumed || turn?.code == .replaceInterrupted }
}

extension ExpectedLatest {
    /// Reads it; nothing where a part could not be read.
    init?(_ value: Value) {
        guard let fields = Fields<ExpectedLatestFields>(value, "a map with 'outcome'") else { return nil }
        let outcome = fields[.outcome]?.word(ReplacementEnd.self)
        let strategy = fields[.strategy].map { $0.strategy() }
        let data = fields[.dataOnRevert].map { $0.word(DataOnRevert.self) }
        let isInterrupted = fields[.interrupted].map { $0.bool() }
        let isRehearsed = fields[.rehearsed].map { $0.bool() }
        guard let outcome, strategy != .some(nil), data != .some(nil), isInterrupted != .some(nil),
            isRehearsed != .some(nil)
        else { return nil }
        self.init(
            outcome: outcome,
            strategy: strategy ?? nil,
            data: data ?? nil,
            isInterrupted: isInterrupted ?? nil,
            isRehearsed: isRehearsed ?? nil
        )
    }
}

/// The fields of what is expected of a server's latest replacement.
enum ExpectedLatestFields: String, FileField {
    case outcome, strategy, interrupted, rehearsed
    case dataOnRevert = "data-on-revert"

    static let required: [ExpectedLatestFields] = [.outcome]

    var schema: JSONValue {
        switch self {
        case .outcome: Schema.words(ReplacementEnd.self, "How it ended.")
        case .strategy: Schema.words(Strategy.self, "How the new machine followed the old one.")
        case .dataOnRevert: Schema.words(DataOnRevert.self, "What its way back was to make of the data.")
        case .interrupted: Schema.bool("Whether its command was interrupted, and another one ended it.")
        case .rehearsed: Schema.bool("Whether it was rehearsed just before.")
        }
    }
}

/// What is expected to be known of a server's configuration on its image.
enum ExpectedConfiguration: String, Sendable, Hashable, CaseIterable {
    /// It was rehearsed with it, launched with it, or its `verify` list held.
    case passed
    /// Nobody has tried it.
    case untested

    /// What is wrong with a server's; nothing where it is as expected.
    func unmet(by status: ServerStatus) -> String? {
        // The words are the same, and those of the store are its own.
        guard let found = status.standing?.configuration.map({ "\($0)" }) else {
            return "a configuration that is \(rawValue) expected, nothing known of it found"
        }
        return found == rawValue
            ? nil : "a configuration that is \(rawValue) with its image expected, one that is \(found) found"
    }
}
