import ArgumentParser
import Foundation
import KilnEngine
import KilnHost
import KilnModel
import KilnStore
import KilnSystem

/// `kiln ssh`: a shell in a server.
struct SSHVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "ssh",
        abstract: "Log in to a server, or run a command there, with OpenSSH.",
        usage: "kiln ssh <server> [--user <user>] [-- <command> ...]",
        discussion: """
            Needs a published port named 'ssh', and an image with an SSH server. Only the host key that this generation was \
            born with is accepted: a replaced server never leads to a warning, and another machine in its place always does.
            """
    )

    @OptionGroup var target: ServerArgument

    @Option(
        help: "The user in the guest; without it whom its user-data names, else 'ubuntu' or 'debian' as its image is."
    )
    var user: String?

    @Argument(parsing: .postTerminator, help: "The command and its arguments; without any, a shell.")
    var command: [String] = []

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        // ssh would take it for an option, or for a host.
        guard let user else { return }
        if user.isEmpty || user.hasPrefix("-") || user.contains("@") {
            throw ValidationError("'\(user)' is not the name of a user.")
        }
    }

    func execute(_ session: Session) async throws -> Int32 {
        let invocation = try await invocation(try await session.workspace())
        session.progress.clear()
        try ProcessImage.become(invocation.arguments, package: "openssh-client", code: .sshMissing)
    }

    /// The way in, whose one host key is written down; also while the server is launched.
    func invocation(_ workspace: Workspace) async throws -> SSHInvocation {
        let id = try workspace.engine.member(named: target.server)
        let status = try await workspace.engine.status(id)
        let machine = try workspace.engine.machine(id)
        guard let port = status.ports.first(where: { $0.key.text == "ssh" })?.value else {
            throw KilnError(
                .sshNoPort,
                "\(id) publishes no port named 'ssh'",
                hint: "declare it in the lab file: ports: { ssh: 22 }; 'kiln exec' needs none",
                exit: .usage
            )
        }
        let record = try workspace.engine.record(id)
        guard let key = record.hostKey else {
            throw KilnError(
                .sshNoHostKey,
                "the image of \(id) has no SSH server",
                hint: "use 'kiln exec \(id) -- CMD'",
                exit: .usage
            )
        }
        let invocation = SSHInvocation(
            port: port.host,
            user: user ?? guestUser(record, workspace.images),
            identity: workspace.state.root + "/ssh/id_ed25519",
            knownHosts: workspace.state.generation(machine) + "/known_hosts",
            command: command
        )
        try invocation.writeKnownHosts(key)
        return invocation
    }

    // An image that is gone from the store is known by its name only. What is no user's name is not given to ssh.
    private func guestUser(_ record: GenerationRecord, _ images: ImageStore) -> String {
        let named = GuestUser.named(by: record.spec.userData)
        if let named, !named.hasPrefix("-"), !named.contains("@") { return named }
        let image = record.image
        let stored = (try? ImageReference("\(image.name):\(image.version)")).flatMap { try? images.find($0) }
        let packages = stored.flatMap { $0.manifest.digest == image.digest ? $0.manifest.packages : nil }
        return GuestUser.ofImage(named: image.name, packages: packages ?? [])
    }
}

/// One run of OpenSSH's client.
struct SSHInvocation: Equatable {
    let port: UInt16
    let user: String
    let identity: String
    let knownHosts: String
    let command: [String]

    /// The argument vector.
    var arguments: [String] {
        // ssh_config(5): a percent sign begins a token, quotes keep blanks.
        let known = knownHosts.replacingOccurrences(of: "%", with: "%%")
        let options = [
            "IdentitiesOnly=yes", "UserKnownHostsFile=\"\(known)\"", "GlobalKnownHostsFile=/dev/null",
            "StrictHostKeyChecking=yes", "UpdateHostKeys=no", "HostKeyAlias=kiln", "PasswordAuthentication=no",
            "ControlMaster=no", "ControlPath=none", "LogLevel=ERROR",
        ]
        // ssh joins a command with blanks and gives it to the user's shell in the guest; so every word is quoted for it.
        // -F: what the user configured for 127.0.0.1 is meant for other things.
        return ["ssh", "-F", "/dev/null", "-p", String(port), "-i", identity] + options.flatMap { ["-o", $0] }
            + ["-l", user, "127.0.0.1"] + (command.isEmpty ? [] : ["--"] + command.map(ShellWords.quoted))
    }

    /// Writes the one key that is accepted.
    func writeKnownHosts(_ key: String) throws {
        let line = "kiln \(key.split(whereSeparator: \.isNewline).first.map(String.init) ?? "")\n"
        do {
            try Data(line.utf8).write(to: URL(fileURLWithPath: knownHosts), options: .atomic)
        } catch {
            throw KilnError(
                .sshKnownHosts,
                "\(knownHosts) can't be written",
                hint: "see that there is space, and that KILN_HOME is yours: 'kiln doctor'",
                cause: "\(error)"
            )
        }
    }
}
