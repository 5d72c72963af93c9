import ArgumentParser
import KilnEngine
import KilnModel
import KilnScenarios

/// `kiln replace`: a new machine for a server, with the same volumes.
struct ReplaceVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "replace",
        abstract: "Replace a server's machine by a new generation; its volumes move along.",
        discussion: """
            The new machine is what the lab declared as 'kiln up' read it last: after a change of the lab file 'kiln up' comes first, which \
            changes no server that runs.

            If the new machine doesn't become ready, the old one serves again (exit 11). Where kiln is killed, at whatever \
            instant, the next command that changes the server finishes the work or takes it back.

            Of a server with several members all are replaced, a few at a time, as the lab file's 'rollout' says: see \
            'kiln help rollout'. One of them is NAME.0.
            """
    )

    @OptionGroup var target: ServerArgument

    @Option(
        help: ArgumentHelp("The image of the new generation; without it, that of the lab.", valueName: "ref"),
        completion: .images
    )
    var image: String?

    @Flag(help: "Only say in what the new generation would differ.")
    var dryRun = false

    @Flag(help: "Take the image that 'kiln lock' wrote down for the lab file.")
    var locked = false

    @Option(
        help: ArgumentHelp("Write a page that shows what happened to this file.", valueName: "file"),
        completion: .file()
    )
    var html: String?

    @OptionGroup var lab: LabFileOption
    @OptionGroup var options: ReplacementOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if dryRun, html != nil {
            throw ValidationError("--dry-run does nothing that a page could show; leave --html out.")
        }
        if lab.file != nil, !locked {
            throw ValidationError(
                "a lab file is read with --locked only; otherwise what 'kiln up' declared last is what counts: 'kiln up -f FILE' first"
            )
        }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let image = try image.map { try ImageReference($0) }
        let options = options.engineOptions(image: locked ? try await pinned(image, session) : image)
        let engine = try await session.workspace().engine
        let ids = try engine.members(named: target.server)
        guard dryRun else {
            guard let first = ids.first, ids.count > 1 else {
                return try await session.replace(target.server, html: html) { try await $0.replace($1, options) }
            }
            try refuseRehearsal(of: first.whole)
            return try await session.rollOut(target.server, options, html: html)
        }
        var plans: [ReplacementPlanView] = []
        // As a rollout takes them: the last first.
        for id in ids.reversed() {
            plans.append(
                ReplacementPlanView(plan: try await engine.planReplacement(id, options), isLast: id == ids.first)
            )
        }
        if let only = plans.first, plans.count == 1 {
            try session.show(only)
        } else {
            try session.show(MemberViews(plans))
        }
        return 0
    }

    private func refuseRehearsal(of server: ServerID) throws {
        guard options.rehearse else { return }
        throw KilnError(
            .serverSeveral,
            "\(server) has several members, and --rehearse is for one of them",
            hint: "leave it out, or name a member: 'kiln replace \(server).0 --rehearse'",
            exit: .usage
        )
    }

    // The image of the command, or of the server in the lab file, as the file's lock has it.
    private func pinned(_ image: ImageReference?, _ session: Session) async throws -> ImageReference {
        let file = try LabReader.lab(at: lab.path, isExplicit: lab.file != nil).lab
        let id = try await session.workspace().engine.server(named: target.server)
        guard id.lab == file.name, let server = file.servers[id.server] else {
            throw KilnError(
                .serverMissing,
                "\(lab.path) declares the lab \(file.name), without the server \(id)",
                hint: "name the lab file of \(id.lab) with '-f FILE'",
                exit: .usage
            )
        }
        return try LabReader.lock(of: file, at: lab.path).pinned(image ?? server.image)
    }
}
