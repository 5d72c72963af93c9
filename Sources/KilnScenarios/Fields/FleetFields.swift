import KilnDocuments
import KilnModel

/// The fields of a server that say how its members get another image or configuration.
enum RolloutFields: String, FileField {
    case partition, canaries, pause, soak, judge
    case maxUnavailable = "max-unavailable"
    case maxSurge = "max-surge"
    case progressDeadline = "progress-deadline"
    case onFailure = "on-failure"

    static let required: [RolloutFields] = []

    /// The word for a pause that only a person ends.
    static let untilPromoted = "until-promoted"

    var schema: JSONValue {
        switch self {
        case .maxUnavailable:
            Schema.whole(
                0...MemberID.most,
                "How many members may be out at once, those included that fell by themselves; 1 without it."
            )
        case .maxSurge:
            Schema.whole(
                0...MemberID.most,
                "How many members at once may be replaced warm-first, so that they are out for seconds only; 0 without it."
            )
        case .partition: Schema.whole(0...MemberID.most, "The lowest ordinal that takes part; 0 without it.")
        case .canaries: Schema.whole(0...MemberID.most, "How many members come first; 0 without it.")
        case .pause:
            Schema.either(
                [
                    Schema.duration("For so long."),
                    ["const": .string(RolloutFields.untilPromoted), "description": "Until 'kiln rollout promote'."],
                ],
                "What follows once the canaries serve; nothing without it."
            )
        case .soak: Schema.duration("How long a new member serves before the next is taken out; none without it.")
        case .progressDeadline:
            Schema.duration("How long a member may take, and how long one waits for room; 10m without it.")
        case .onFailure:
            Schema.words(
                RolloutSpec.OnFailure.self,
                "Where a member can't be brought there: rollback takes the new ones back, pause waits for a person; rollback "
                    + "without it."
            )
        case .judge: JudgeFields.schema
        }
    }

    static var schema: JSONValue {
        Schema.titled(
            "rollout",
            Schema.object(RolloutFields.self, "How all members get another image or configuration.")
        )
    }
}

/// The fields of a `judge`.
enum JudgeFields: String, FileField {
    case requests
    case moreErrors = "more-errors"
    case timesSlower = "times-slower"

    static let required: [JudgeFields] = []

    var schema: JSONValue {
        switch self {
        case .requests:
            Schema.whole(1...1_000_000, "How many answers of old and of new members it takes; 50 without it.")
        case .moreErrors:
            Schema.whole(0...100, "How many more of a hundred requests may fail at new members; 1 without it.")
        case .timesSlower: Schema.whole(1...100, "How many times as long new members may take; 2 without it.")
        }
    }

    static var schema: JSONValue {
        Schema.titled(
            "judge",
            Schema.object(JudgeFields.self, "How the answers of new members are compared with old ones.")
        )
    }
}
