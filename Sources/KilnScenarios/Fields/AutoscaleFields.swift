import KilnDocuments
import KilnModel

/// The fields of a server's `autoscale`.
enum AutoscaleFields: String, FileField {
    case min, max, target, cooldown

    static let required: [AutoscaleFields] = [.max, .target]

    var schema: JSONValue {
        switch self {
        case .min: Schema.whole(1...MemberID.most, "The fewest members; 1 without it.")
        case .max: Schema.whole(1...MemberID.most, "The most members.")
        case .target: Schema.object(TargetFields.self, "What each serving member is to have: just one of these.")
        case .cooldown:
            Schema.duration(
                "In how long members follow their load: more come once a quarter of it shows that more are wanted, one goes once half "
                    + "of it shows that fewer are; 1m without it."
            )
        }
    }

    static var schema: JSONValue {
        Schema.titled(
            "autoscale",
            Schema.object(
                AutoscaleFields.self,
                "How many members 'kiln autopilot' may let it have, by what they have to do; without it those of 'replicas'."
            )
        )
    }
}

/// The fields of a `target`.
enum TargetFields: String, FileField {
    case requests, queue

    static let required: [TargetFields] = []
    /// What each member can be wanted to have.
    static let limits = 1...1_000_000

    var schema: JSONValue {
        switch self {
        case .requests: Schema.whole(TargetFields.limits, "So many requests, or connections, a second that it answers.")
        case .queue: Schema.whole(TargetFields.limits, "So many requests that wait at the front.")
        }
    }
}
