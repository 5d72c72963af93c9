import ArgumentParser
import KilnEngine
import KilnHost
import KilnModel

/// `kiln logs`: what a server's machine wrote.
struct LogsVerb: Verb {
    /// Where a log comes from.
    enum Source: String, CaseIterable, ExpressibleByArgument {
        /// The serial console since the machine's start; kept by the host.
        case console
        /// cloud-init's output, read from the guest.
        case cloudInit = "cloud-init"
        /// QEMU's own messages; kept by libvirt.
        case qemu
    }

    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Print the log of a server's machine; control sequences are escaped.",
        discussion: "What a guest writes may be hostile: on a terminal, a control sequence can do more than be read."
    )

    @OptionGroup var target: ServerArgument

    @Option(help: "console, cloud-init or qemu.")
    var source = Source.console

    @Option(help: "A generation; without it, the present one.")
    var generation: Int?

    @Flag(name: .shortAndLong, help: "Go on as the log grows, until Ctrl-C.")
    var follow = false

    @Flag(help: "Print the bytes as they are, control sequences too.")
    var raw = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if follow && source == .cloudInit {
            throw ValidationError("--follow needs a log that the host keeps: --source console or qemu.")
        }
        if source == .cloudInit && generation != nil {
            throw ValidationError("--source cloud-init is read from the machine that runs; leave --generation out.")
        }
        if global.format != .table { throw ValidationError("A log is not JSON; leave --format out.") }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let workspace = try await session.workspace()
        let ids = try workspace.engine.members(named: target.server)
        // Two logs that grow can't be read beside each other.
        if follow, ids.count > 1 { _ = try workspace.engine.member(named: target.server) }
        for id in ids {
            if ids.count > 1 { session.output.text("==> \(id.whole).\(id.ordinal) <==\n") }
            do {
                try await printLog(of: id, workspace, session.output)
            } catch is CancellationError where session.output.state() == .unread && !Task.isCancelled {
                return 0
            }
        }
        return 0
    }

    private func printLog(of id: MemberID, _ workspace: Workspace, _ output: ByteSink) async throws {
        let printer = LogPrinter(output: output, isRaw: raw)
        switch source {
        case .cloudInit: try await printGuestLog(of: id, workspace.engine, printer, output)
        case .console:
            try await follow(workspace.state.consoleLog(try machine(of: id, workspace)), printer, output)
        case .qemu:
            let path = try workspace.parts.machines.processLog(of: try machine(of: id, workspace))
            try await follow(path, printer, output)
        }
        printer.finish()
    }

    private func printGuestLog(
        of id: MemberID,
        _ engine: LabEngine,
        _ printer: LogPrinter,
        _ output: ByteSink
    ) async throws {
        let path = "/var/log/cloud-init-output.log"
        let isThere = try await engine.read(path, on: id, now: true) { bytes in
            printer.take(bytes[...])
            // A guest may give its log no end.
            try output.requireReader()
        }
        guard !isThere else { return }
        throw KilnError(
            .logsMissing,
            "\(id) has no \(path)",
            hint: "its image has no cloud-init, or it has not begun: see 'kiln logs \(id) --source console'",
            exit: .usage
        )
    }

    private func machine(of id: MemberID, _ workspace: Workspace) throws -> MachineID {
        try generation.map { id.machine(Generation($0)) } ?? workspace.engine.machine(id)
    }

    private func follow(_ path: String, _ printer: LogPrinter, _ output: ByteSink) async throws {
        let file = FollowedFile(path: path)
        try await Wakeup.run { [follow] wakeup in
            try file.read(until: follow ? wakeup : nil, for: output) { printer.take($0) }
        }
        try Task.checkCancellation()
    }
}
