import KilnDocuments
import KilnModel

/// The fields of a server's `heal`.
enum HealFields: String, FileField {
    case after, per, window
    case atMost = "at-most"

    static let required: [HealFields] = []
    /// How many heals there may be.
    static let limits = 1...100

    var schema: JSONValue {
        switch self {
        case .after:
            Schema.duration("How long a member that runs may be silent before something is done; 30s without it.")
        case .atMost:
            Schema.whole(
                HealFields.limits,
                "How many heals there may be in that time, of all members together, and in a row of one; 3 without it."
            )
        case .per:
            Schema.duration("The time for 'at-most', after which a member that serves is sound again; 10m without it.")
        case .window:
            Schema.object(
                HealWindowFields.self,
                "When those are replaced who are older than 'max-age', by the host's clock; at any time without it."
            )
        }
    }

    static var schema: JSONValue {
        Schema.titled(
            "heal",
            Schema.object(
                HealFields.self,
                "What 'kiln autopilot' may do for it, '{}' for all of what is usual; without it nothing."
            )
        )
    }
}

/// The fields of a `window`.
enum HealWindowFields: String, FileField {
    case from, to

    static let required: [HealWindowFields] = [.from, .to]

    var schema: JSONValue {
        switch self {
        case .from: Schema.pattern(HealWindowFields.pattern, "When it begins, such as '02:00'.")
        case .to: Schema.pattern(HealWindowFields.pattern, "When it ends; earlier than 'from' means the next day.")
        }
    }

    private static let pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
}
