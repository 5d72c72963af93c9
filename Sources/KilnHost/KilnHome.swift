import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// The directory below which Kiln keeps everything, made with the right owners and modes.
public struct KilnHome: Sendable, Hashable {
    /// The directory: absolute.
    public let path: String
    /// The user who runs machines.
    public let owner: MachineOwner

    /// A home for a user.
    public init(path: String, owner: MachineOwner) {
        self.path = path
        self.owner = owner
    }

    /// Where the home is: `KILN_HOME`, else `/var/lib/kiln` for root, else `kiln` in the XDG state directory.
    ///
    /// https://specifications.freedesktop.org/basedir-spec/latest/
    ///
    /// - Throws: `KilnError` with code `home.relative` where `KILN_HOME` is no absolute path, `home.unknown` where neither
    ///   the environment nor the password database knows the user's home directory.
    public static func location(
        environment: [String: String] = ProcessEnvironment.variables,
        isRoot: Bool = geteuid() == 0
    ) throws -> String {
        if let chosen = environment["KILN_HOME"], !chosen.isEmpty {
            guard chosen.hasPrefix("/") else {
                throw KilnError(
                    .homeRelative,
                    "KILN_HOME is \(Name.quoted(chosen)), expected an absolute path",
                    hint: "set KILN_HOME to a path that starts with '/'",
                    exit: .usage
                )
            }
            return URL(fileURLWithPath: chosen).standardizedFileURL.path
        }
        if isRoot { return "/var/lib/kiln" }
        // The specification says to ignore relative paths.
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/kiln" }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw KilnError(.homeUnknown, "HOME is not set", hint: "set KILN_HOME", exit: .usage)
        }
        return home + "/.local/state/kiln"
    }

    /// Makes the directories and gives their paths.
    ///
    /// - Throws: `KilnError` with code `home.unusable`, `home.closed` where the user of the machines can't pass through a
    ///   directory above, and `alias.…`, `owner.…`.
    public func prepared() throws -> StateDirectory {
        // Machines run as another user than root, and have to read images.
        try make(path, mode: isForeign ? 0o755 : 0o700)
        let sockets = path + "/sockets"
        try make(sockets, mode: 0o700)
        try owner.give(sockets)
        if isForeign { try checkPassage() }
        return StateDirectory(root: path, sockets: try shortSockets(sockets))
    }

    /// Whether machines run as somebody else than this process.
    var isForeign: Bool { owner.uid != geteuid() }

    /// The directory's short name, chosen so that the longest name of a socket in it still fits.
    private func shortSockets(_ sockets: String) throws -> String {
        // HAProxy binds a name with its process in it first, and renames the socket.
        let longest = "/0123456789abcdef.front.4194304.tmp"
        return String(try HomeAlias(home: path).shortPath(for: sockets + longest).dropLast(longest.count))
    }

    private func make(_ directory: String, mode: mode_t) throws {
        let parent = DurableFile.directory(of: directory)
        if access(parent, F_OK) != 0 {
            try? FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        }
        if mkdir(directory, mode) == 0 {
            // The umask may have taken bits away.
            chmod(directory, mode)
            return
        }
        let code = errno
        var found = stat()
        guard code == EEXIST, stat(directory, &found) == 0, found.st_mode & S_IFMT == S_IFDIR else {
            throw unusable(directory, String(cString: strerror(code)))
        }
        guard found.st_uid == geteuid() || found.st_uid == owner.uid else {
            throw unusable(directory, "it belongs to user id \(found.st_uid)")
        }
    }

    /// A directory that is closed to the user of the machines would show up as an obscure error of QEMU.
    private func checkPassage() throws {
        guard let closed = owner.closedDirectory(onTheWayTo: path) else { return }
        throw KilnError(
            .homeClosed,
            "user '\(owner.name)', who runs the machines, can't pass through \(closed) to \(path)",
            hint: "set KILN_HOME to another place, such as /var/lib/kiln, or run: chmod o+x \(closed)",
            exit: .unreachable
        )
    }

    private func unusable(_ directory: String, _ cause: String) -> KilnError {
        KilnError(
            .homeUnusable,
            "\(directory) can't serve as a home of machines",
            hint: "set KILN_HOME to a place that belongs to the user who runs kiln",
            cause: cause,
            exit: .unreachable
        )
    }
}
