import ArgumentParser
import KilnEngine
import KilnModel
import KilnStore

/// `kiln image promote`.
struct ImagePromoteVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Point a channel to an image that passed its tests.",
        discussion: """
            A lab file that names the channel, such as notes@stable, gets that image with its next generations; servers that \
            run are not touched.
            """
    )

    @Argument(help: "The image; with --back, its name alone.", completion: .images)
    var image: String

    @Option(
        help: ArgumentHelp("The channel, which is made where there is none.", valueName: "channel"),
        completion: .channels
    )
    var to: Name

    @Flag(help: "Point the channel to what it pointed to before.")
    var back = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().images
        let reference = try ImageReference(image)
        let channel =
            back
            ? try await store.moveBack(to, of: try name(reference), waiting: session.sayWaiting)
            : try await store.promote(reference, to: to, waiting: session.sayWaiting)
        try session.show(ChannelList(channels: [channel], catalog: try store.catalog()))
        return 0
    }

    private func name(_ reference: ImageReference) throws -> Name {
        guard case .latest = reference.selector else {
            throw KilnError(
                .imageReferenceInvalid,
                "with --back the channel says which image is meant, and \(Name.quoted(image)) says it too",
                hint: "say 'kiln image promote \(reference.name) --to \(to) --back'",
                exit: .usage
            )
        }
        return reference.name
    }
}

extension Session {
    /// Says for whom a command waits.
    var sayWaiting: @Sendable (KilnError) -> Void { { say("waiting: \($0.message)") } }
}

/// `kiln image channels`.
struct ImageChannelsVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "channels",
        abstract: "List channels, and what they point to; every move of them with --format json."
    )

    @Argument(help: "The name of an image; without it, all.", completion: .imageNames)
    var image: Name?

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().images
        let channels = try store.channels(of: image)
        try session.show(ChannelList(channels: channels, catalog: try store.catalog()))
        return 0
    }
}

/// `kiln image revoke`.
struct ImageRevokeVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Let no new generation be made from an image; what was made from it goes on.",
        discussion: """
            The content is meant, under whichever name, and also once it was removed. A channel that points to it fails until \
            it points elsewhere.
            """
    )

    @Argument(help: "The image.", completion: .images)
    var image: String

    @Option(help: ArgumentHelp("The reason, which is told to whoever asks for the image.", valueName: "text"))
    var why: String

    @Flag(help: "Revoke the images that were made from it, too.")
    var descendants = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let workspace = try await session.workspace()
        let store = workspace.images
        let revoked = try await store.revoke(
            try ImageReference(image),
            why: why,
            descendants: descendants,
            waiting: session.sayWaiting
        )
        // Nothing new is made of it, so nothing is cloned from what was made of it.
        try workspace.engine.removeTemplates(of: Set(revoked.map(\.digest)))
        try session.show(
            RevocationResult(revocations: revoked, isRestored: false, remarks: try remarks(revoked, store))
        )
        return 0
    }

    private func remarks(_ revoked: [Revocation], _ store: ImageStore) throws -> [String] {
        let catalog = try store.catalog()
        let gone = Set(revoked.map(\.digest))
        let channels = catalog.channels.filter { $0.current.map { gone.contains($0.digest) } ?? false }
        let marked = Set(gone.flatMap { catalog.descendants(of: $0) }).subtracting(catalog.revocations.keys)
        let children = marked.flatMap { catalog.titles(of: $0) }.sorted()
        return channels.map {
            "\($0.title) points to it and fails: 'kiln image promote \($0.image) --to \($0.name) --back'"
        } + (children.isEmpty ? [] : ["made from it, and not revoked: \(children.joined(separator: ", "))"])
    }
}

/// `kiln image restore`.
struct ImageRestoreVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Take the revocation of an image back; those that were revoked with it stay so."
    )

    @Argument(help: "The image; one that is gone by its digest, or by what it was called.", completion: .images)
    var image: String

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let store = try await session.workspace().images
        let restored = try await store.restore(try ImageReference(image), waiting: session.sayWaiting)
        let still = try store.revocations().filter { $0.ancestor == restored.digest }.flatMap(\.names)
        let remarks = still.isEmpty ? [] : ["revoked with it, and still revoked: \(still.joined(separator: ", "))"]
        try session.show(RevocationResult(revocations: [restored], isRestored: true, remarks: remarks))
        return 0
    }
}
