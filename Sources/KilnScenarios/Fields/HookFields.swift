import KilnDocuments
import KilnModel

/// The fields of a hook that is written as a map.
enum HookFields: String, FileField {
    case run, deadline, quiet

    static let required: [HookFields] = [.run]

    var schema: JSONValue {
        switch self {
        case .run: Schema.command("What to run in the guest.")
        case .deadline: Schema.duration("How long it may take; 30s without it.")
        case .quiet:
            Schema.bool(
                "In 'drain' only: whether no request of a client is under way while it runs. Those that are end first, and those that "
                    + "come wait, both for a part of 'hold' at most."
            )
        }
    }

    static func list(_ about: String) -> JSONValue {
        Schema.list(
            of: Schema.titled(
                "hook",
                Schema.either(
                    [Schema.command("The command."), Schema.object(HookFields.self, "With more about it.")],
                    "A command, as it is or as a map of these fields."
                )
            ),
            about
        )
    }
}
