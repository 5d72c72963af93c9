import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln rollout …`: what all members of a server are brought to.
struct RolloutVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollout",
        abstract: "Look at the rollout of a server with several members, or decide what becomes of it.",
        discussion: """
            'kiln replace' of a server with several members begins one. It stops by itself where a member does not become \
            ready, or where new members answer worse than old ones; the lab file's 'rollout' says what follows.
            """,
        subcommands: [
            RolloutStatusVerb.self, RolloutPauseVerb.self, RolloutPromoteVerb.self, RolloutAbortVerb.self,
            RolloutRetryVerb.self, RolloutUndoVerb.self,
        ]
    )
}

/// `kiln rollout status`.
struct RolloutStatusVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Tell how the latest rollout stands, or how it ended.",
        discussion: """
            Exits with 0 where it is complete, was given up as wanted, or goes on; with 12 where it waits for a person or was interrupted; \
            else as 'replace' would.
            """
    )

    @OptionGroup var target: ServerArgument
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let engine = try await session.workspace().engine
        let server = try engine.server(named: target.server)
        guard let report = try engine.rollout(of: server) else {
            try session.show(RolloutList(server: server, reports: []))
            return 0
        }
        try session.show(RolloutResult(report: report))
        return report.standing == .progressing ? 0 : report.exit.rawValue
    }
}

/// `kiln rollout pause`.
struct RolloutPauseVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stop a rollout once the member that is being replaced serves."
    )

    @OptionGroup var target: ServerArgument
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 { try await session.decide(.pause, target.server) }
}

/// `kiln rollout promote`.
struct RolloutPromoteVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Let a rollout go on that is paused; a member that failed is left as it is."
    )

    @OptionGroup var target: ServerArgument
    @Flag(help: "Skip all further pauses and judgements, too.")
    var full = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        try await session.decide(.promote(isFull: full), target.server)
    }
}

/// `kiln rollout abort`.
struct RolloutAbortVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "abort",
        abstract: "Give a rollout up: members that are new go back to what they were, the newest first.",
        discussion: """
            The data of each member stays what it is. The lab file still says what the rollout was to bring: the next \
            'kiln replace' brings it again.
            """
    )

    @OptionGroup var target: ServerArgument
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 { try await session.decide(.abort, target.server) }
}

/// `kiln rollout retry`.
struct RolloutRetryVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Try once more what stopped a rollout."
    )

    @OptionGroup var target: ServerArgument
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 { try await session.decide(.retry, target.server) }
}

/// `kiln rollout undo`.
struct RolloutUndoVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Bring all members back to what they were before the latest rollout, also after its end."
    )

    @OptionGroup var target: ServerArgument
    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 { try await session.decide(.undo, target.server) }
}

extension Session {
    /// Does what a person wants of a rollout, and shows what became of it.
    fileprivate func decide(_ command: RolloutCommand, _ text: String) async throws -> Int32 {
        let engine = try await workspace().engine
        let server = try engine.server(named: text)
        let report = try await engine.command(command, on: server)
        try show(RolloutResult(report: report))
        return report.standing == .progressing ? 0 : report.exit.rawValue
    }
}
