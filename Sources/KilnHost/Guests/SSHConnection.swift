import Foundation
import KilnEngine
import KilnModel
import KilnSystem

/// OpenSSH's client on the way to one guest, as one user.
///
/// It reads no configuration, asks nothing, tries one key, and accepts one host key.
struct SSHConnection: Sendable {
    let route: GuestRoute
    let user: String

    /// How long it may take to reach the server, and to agree on keys.
    private static let patience = 15
    /// For how long a connection that is not used is kept, in seconds.
    private static let kept = 15

    var isRoot: Bool { user == "root" }

    /// The arguments before the command.
    var arguments: [String] {
        // ssh_config(5): a percent sign begins a token, quotes keep blanks.
        let known = Self.escaped(route.knownHosts)
        let options = [
            "BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "UserKnownHostsFile=\"\(known)\"",
            "GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=yes", "UpdateHostKeys=no", "HostKeyAlias=kiln",
            "PreferredAuthentications=publickey", "ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes",
            "PermitLocalCommand=no", "LogLevel=ERROR", "ConnectTimeout=\(Self.patience)", "ServerAliveInterval=5",
            "ServerAliveCountMax=4",
        ]
        return ["-F", "none", "-T", "-p", String(route.port), "-i", route.identity]
            + (options + sharing).flatMap { ["-o", $0] } + ["-l", user, "127.0.0.1", "--"]
    }

    // ssh binds a name that is 17 bytes longer first, and renames the socket. Where that is too long, each command connects anew.
    private var sharing: [String] {
        guard let socket = route.sockets[user], socket.utf8.count + 17 < UnixSocket.longestPath else {
            return ["ControlMaster=no", "ControlPath=none"]
        }
        return ["ControlMaster=auto", "ControlPath=\"\(Self.escaped(socket))\"", "ControlPersist=\(Self.kept)"]
    }

    private static func escaped(_ path: String) -> String { path.replacingOccurrences(of: "%", with: "%%") }

    /// A run of ssh.
    func command(_ line: String, deadline: Duration) -> Command {
        Command("ssh", arguments + [line], deadline: deadline)
    }

    /// Writes down the one host key that is accepted.
    func writeKnownHosts() throws {
        let key = route.hostKey.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        try DurableFile.write(Data("kiln \(key)\n".utf8), to: route.knownHosts)
    }

    /// What the server says of itself: nothing where it does not answer, and whether one of its host keys is the one that is
    /// accepted.
    func hasExpectedKey() async throws -> Bool? {
        let scan = Command(
            "ssh-keyscan",
            ["-T", String(Self.patience), "-p", String(route.port), "127.0.0.1"],
            deadline: .seconds(2 * Self.patience)
        )
        let keys = String(decoding: try await scan.result().output, as: UTF8.self).split(whereSeparator: \.isNewline)
            .filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ").dropFirst().prefix(2) }
        guard !keys.isEmpty else { return nil }
        let expected = route.hostKey.split(whereSeparator: \.isWhitespace).prefix(2)
        return keys.contains { $0.elementsEqual(expected) }
    }
}
