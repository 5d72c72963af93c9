import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnOutside
import KilnSystem

@testable import KilnHost

/// OpenSSH's server on a port of 127.0.0.1, with keys and settings of its own; lets in the user who runs the tests.
///
/// Not a `Process` of Foundation's: sshd closes the descriptor that Foundation takes for a sign of life, and Foundation's only
/// thread for ends of processes then waits for this one, and for no other, while it lives.
final class SSHServer: Sendable {
    let directory: TestDirectory
    let port: UInt16
    let hostKey: String
    private let process: Child

    /// Why it can't be tried here; nothing where it can.
    static var obstacle: String? {
        if geteuid() != 0 { return "commands are run as root" }
        if access(program, X_OK) != 0 { return "openssh-server is not installed" }
        return getpwnam("sshd") == nil ? "there is no user sshd, whom openssh-server makes" : nil
    }

    private static let program = "/usr/sbin/sshd"

    /// A server that answers.
    static func start() async throws -> SSHServer {
        let directory = try TestDirectory()
        for name in ["host", "user", "other"] {
            try await Command("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "\(directory.path)/\(name)"]).run()
        }
        let server = try await BlockingWork.run { try SSHServer(directory) }
        let end = ContinuousClock.now + .seconds(20)
        while true {
            let answer = await LoopbackConnection.answer(to: [], on: server.port, within: .seconds(5), atMost: 4) {
                $0.count == 4
            }
            if case .success = answer { return server }
            guard ContinuousClock.now < end else { throw KilnError("test.no-sshd", "sshd does not answer") }
            // Nothing tells when it begins to listen.
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private init(_ directory: TestDirectory) throws {
        self.directory = directory
        guard
            let port = (23000...23999).shuffled().map({ UInt16($0) }).first(where: { LoopbackPorts().isFree($0, .tcp) })
        else {
            throw KilnError("test.no-port", "no port is free")
        }
        self.port = port
        hostKey = try String(contentsOfFile: directory.path + "/host.pub", encoding: .utf8)
        // A root's server goes into this directory before anybody has logged in.
        try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        let settings = """
            ListenAddress 127.0.0.1:\(port)
            HostKey \(directory.path)/host
            AuthorizedKeysFile \(directory.path)/user.pub
            PidFile none
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitRootLogin prohibit-password

            """
        try Data(settings.utf8).write(to: URL(filePath: directory.path + "/sshd_config"))
        let line = [Self.program, "-D", "-e", "-f", directory.path + "/sshd_config"]
        process = try Child(line, environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], directory: directory.path)
    }

    // It begins with the blocked signals of the thread that starts it, so a request to end may never reach it.
    deinit {
        process.send(SIGKILL)
        _ = try? process.finish(within: .seconds(5))
    }

    /// The way there, as the one who runs the tests.
    func route(identity: String = "user", hostKey: String? = nil, users: [String] = ["root"]) -> GuestRoute {
        GuestRoute(
            port: port,
            hostKey: hostKey ?? self.hostKey,
            identity: "\(directory.path)/\(identity)",
            knownHosts: directory.path + "/known_hosts",
            sockets: ["root": directory.path + "/c"],
            users: users
        )
    }

    /// Guests that are all this server.
    func guests(identity: String = "user", hostKey: String? = nil, users: [String] = ["root"]) -> SSHGuests {
        let route = self.route(identity: identity, hostKey: hostKey, users: users)
        return SSHGuests { _ in route }
    }
}
