import ArgumentParser
import KilnEngine
import KilnModel

/// `kiln volume`: verbs on volumes.
struct VolumeVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume",
        abstract: "List and delete volumes.",
        subcommands: [VolumeListVerb.self, VolumeDeleteVerb.self]
    )
}

/// `kiln volume list`.
struct VolumeListVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List volumes, who may write to them, and what was deleted but kept."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().engine.volumes
        try session.show(VolumeList(volumes: try store.list(), retained: try store.retained()))
        return 0
    }
}

/// `kiln volume delete`.
struct VolumeDeleteVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a volume: it is set aside first, and removed for good with --purge.",
        discussion: "The only command that ever takes a volume away."
    )

    @Argument(help: "The volume, LAB/NAME; with --purge, what 'kiln volume list' calls it among the retained.")
    var volume: String

    @Flag(help: "Remove a volume that was set aside, for good.")
    var purge = false

    @Flag(help: "Don't ask.")
    var yes = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().engine.volumes
        if purge {
            guard try store.retained().contains(volume) else {
                throw VolumeDeleteVerb.unknown(volume, "retained volume", try store.retained())
            }
            try confirm("Remove \(volume) and all its data for good?", session)
            try store.purge(volume)
            try session.show(DeletedVolume(volume: volume, retainedAs: nil))
            return 0
        }
        let known = try store.list()
        guard let record = known.first(where: { "\($0.lab)/\($0.name)" == volume }) else {
            throw VolumeDeleteVerb.unknown(volume, "volume", known.map { "\($0.lab)/\($0.name)" })
        }
        try confirm("Set \(volume) aside? Its servers lose it.", session)
        let kept = try store.retain(lab: record.lab, record.name)
        try session.show(DeletedVolume(volume: volume, retainedAs: kept))
        return 0
    }

    func confirm(_ question: String, _ session: Session) throws {
        if yes { return }
        guard session.terminal.isInputInteractive && session.terminal.canRewriteLine else {
            throw KilnError(
                "volume.unconfirmed",
                "nobody can be asked here",
                hint: "say it beforehand: --yes",
                exit: .usage
            )
        }
        session.progress.clear()
        session.errors.text("\(question) [y/N] ")
        guard ["y", "yes"].contains(readLine()?.lowercased() ?? "") else {
            throw KilnError("volume.unconfirmed", "nothing was deleted", exit: .usage)
        }
    }

    private static func unknown(_ name: String, _ kind: String, _ known: [String]) -> KilnError {
        KilnError(
            "volume.unknown",
            "there is no \(kind) \(Name.quoted(name))",
            hint: known.isEmpty ? "there is none at all" : "there are: \(known.joined(separator: ", "))",
            exit: .usage
        )
    }
}

/// A volume that was set aside or removed.
struct DeletedVolume: Renderable {
    let volume: String
    let retainedAs: String?

    struct Payload: Encodable {
        let volume: String
        let retainedAs: String?

        enum CodingKeys: String, CodingKey {
            case volume
            case retainedAs = "retained_as"
        }
    }

    var payload: Payload { Payload(volume: volume, retainedAs: retainedAs) }

    var human: HumanView {
        guard let retainedAs else { return .lines(["\(volume) is removed for good"]) }
        return .lines([
            "\(volume) is set aside as \(retainedAs)",
            "next: 'kiln volume delete --purge \(retainedAs)' removes it for good",
        ])
    }
}
