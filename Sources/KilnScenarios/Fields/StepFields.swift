import KilnDocuments
import KilnModel

/// The kinds of step; a step is a map of one of these, or a bare word.
enum StepFields: String, FileField {
    case up, exec, replace, rollback, stop, start, expect, down
    case writeLedger = "write-ledger"
    case verifyLedger = "verify-ledger"
    case volumeSnapshot = "volume-snapshot"

    static let required: [StepFields] = []

    var schema: JSONValue {
        switch self {
        case .up: StepSchema.servers("Makes the servers and waits until they are ready.")
        case .exec: Schema.object(ExecFields.self, "Runs a command in a guest.")
        case .replace: Schema.object(ReplaceFields.self, "Replaces a server's machine.")
        case .rollback:
            Schema.object(RollbackFields.self, "Replaces a machine by one from the image of an earlier generation.")
        case .stop: StepSchema.servers("Shuts the machines down.")
        case .start: StepSchema.servers("Starts stopped machines and waits until they are ready.")
        case .expect: Schema.object(ExpectFields.self, "Compares a server with what is expected of it.")
        case .down: ["enum": ["all", .null], "description": "Removes the machines; volumes stay."]
        case .writeLedger: Schema.object(WriteLedgerFields.self, "Starts writing numbered records.")
        case .verifyLedger: Schema.object(VerifyLedgerFields.self, "Stops the writer and counts what is lost.")
        case .volumeSnapshot:
            Schema.object(VolumeSnapshotFields.self, "Gives the present state of a volume a name.")
        }
    }
}

/// The steps that are written as a bare word.
enum StepWord: String, CaseIterable {
    case up, down
}

/// How steps are written.
enum StepSchema {
    static var step: JSONValue {
        Schema.titled(
            "step",
            Schema.either(
                [Schema.words(StepWord.self, "A step on all servers."), Schema.oneField(of: StepFields.self)],
                "One step, as a word or as a map of one of these fields."
            )
        )
    }

    static func servers(_ about: String) -> JSONValue {
        Schema.either(
            [["enum": ["all", .null]], Schema.list(of: Schema.name("A server."), "Some servers.")],
            about
        )
    }
}

/// The fields of an `exec` step.
enum ExecFields: String, FileField {
    case server, command, exit, contains

    static let required: [ExecFields] = [.server, .command]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server whose machine runs it.")
        case .command: Schema.command("What to run.")
        case .exit: Schema.whole(0...255, "The expected exit status; 0 without it.")
        case .contains: Schema.text("What the standard output has to contain.")
        }
    }
}

/// The fields of a `write-ledger` step.
enum WriteLedgerFields: String, FileField {
    case server, path

    static let required: [WriteLedgerFields] = [.server, .path]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server whose machine writes.")
        case .path: Schema.guestPath("The ledger's file, on a volume of the server.")
        }
    }
}

/// The fields of a `verify-ledger` step.
enum VerifyLedgerFields: String, FileField {
    case server
    case recordsAtLeast = "records-at-least"

    static let required: [VerifyLedgerFields] = [.server]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server whose ledger is verified.")
        case .recordsAtLeast:
            Schema.whole(1...10_000_000, "How many records have to be acknowledged; 1 without it.")
        }
    }
}

/// The fields of a `replace` step.
enum ReplaceFields: String, FileField {
    case server, image, strategy, rehearse, outcome
    case dataOnRevert = "data-on-revert"
    case forceStop = "force-stop"

    static let required: [ReplaceFields] = [.server]
    static let instead = ["canary": "it is called 'rehearse' now"]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server to replace.")
        case .image: Schema.image("The image of the next generation; without it the one that the lab declares.")
        case .strategy: Schema.words(Strategy.self, "How it follows the old one; without it as the lab declares.")
        case .rehearse: Schema.bool("Whether it is tried on clones of the volumes first; false without it.")
        case .outcome: Schema.words(Step.Outcome.self, "How it has to end; committed without it.")
        case .dataOnRevert:
            Schema.words(DataOnRevert.self, "What becomes of the data on a revert; keep without it.")
        case .forceStop:
            Schema.bool("Whether an old machine that refuses to shut down is switched off; false without it.")
        }
    }
}

/// The fields of a `rollback` step.
enum RollbackFields: String, FileField {
    case server, to, outcome

    static let required: [RollbackFields] = [.server]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .to: Schema.whole(1...1_000_000, "The generation to go back to; the one before without it.")
        case .outcome: Schema.words(Step.Outcome.self, "How it has to end; committed without it.")
        }
    }
}

/// The fields of a `volume-snapshot` step.
enum VolumeSnapshotFields: String, FileField {
    case volume, name

    static let required: [VolumeSnapshotFields] = [.volume]

    var schema: JSONValue {
        switch self {
        case .volume: Schema.name("The volume.")
        case .name: Schema.name("What the snapshot is called; the first free of snapshot-1 and so on without it.")
        }
    }
}

/// The fields of an `expect` step.
enum ExpectFields: String, FileField {
    case server, generation, ready, image, http, drift

    static let required: [ExpectFields] = [.server]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .generation: Schema.whole(1...1_000_000, "The generation that serves.")
        case .ready: Schema.bool("Whether the probes of its ready list hold.")
        case .image: Schema.image("The image of the generation that serves.")
        case .http: ExpectedHTTP.schema("What it answers.")
        case .drift: Schema.words(Step.Expectation.Drift.self, "none: its root is as its image has it.")
        }
    }
}
