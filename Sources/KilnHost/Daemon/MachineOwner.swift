import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// The user that machines run as: whoever runs Kiln, except that root hands them to the system user `kiln`.
///
/// This holds for every way to reach the hypervisor: a guest that breaks out of QEMU must not find itself root.
public struct MachineOwner: Sendable, Hashable {
    /// The name of the system user that runs root's machines; the package and `make setup` make it.
    public static let systemUser = "kiln"

    /// The numeric user id.
    public let uid: UInt32
    /// The numeric id of the user's primary group.
    public let gid: UInt32
    /// The user's name in the password database.
    public let name: String

    /// An owner whose ids are already known.
    public init(uid: UInt32, gid: UInt32, name: String) {
        self.uid = uid
        self.gid = gid
        self.name = name
    }

    /// Whom a program runs as that works on what a machine could have written.
    var identity: Command.User { Command.User(uid: uid, gid: gid) }

    /// The owner of the machines of this process.
    ///
    /// - Throws: `KilnError` with code `owner.missing` where the user has no entry in the password database, which
    ///   libvirt insists on.
    public static func current() throws -> MachineOwner {
        guard geteuid() != 0 else { return try named(systemUser) }
        let uid = geteuid()
        guard let owner = lookUp({ getpwuid_r(uid, $0, $1, $2, $3) }) else {
            throw KilnError(
                .ownerMissing,
                "user id \(uid) has no entry in the password database, and libvirt refuses to run without one",
                hint: "run kiln as a user that `getent passwd` knows",
                exit: .unreachable
            )
        }
        return owner
    }

    /// The owner called `name`.
    ///
    /// - Throws: `KilnError` with code `owner.missing` where there is no such user.
    public static func named(_ name: String) throws -> MachineOwner {
        guard let owner = lookUp({ getpwnam_r(name, $0, $1, $2, $3) }) else {
            throw KilnError(
                .ownerMissing,
                "there is no user '\(name)', who runs the machines that root starts",
                hint: "install the package kiln again, or run 'make setup' in a checkout: both make the user",
                exit: .unreachable
            )
        }
        return owner
    }

    /// Makes this user the owner of a file or directory, so that machines can open it.
    ///
    /// Never follows a symbolic link in the last component, and refuses hard-linked files: either could lead root to give
    /// away a file of somebody else. Nothing happens where the owner is right already.
    ///
    /// - Throws: `KilnError` with code `owner.refused` for anything that isn't a plain file or a directory, and
    ///   `owner.failed` where the system refuses.
    public func give(_ path: String) throws {
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw failed(path, errno) }
        defer { close(file) }
        var found = stat()
        guard fstat(file, &found) == 0 else { throw failed(path, errno) }
        if found.st_uid == uid && found.st_gid == gid { return }
        let kind = found.st_mode & S_IFMT
        guard kind == S_IFDIR || (kind == S_IFREG && found.st_nlink == 1) else {
            throw KilnError(
                .ownerRefused,
                "\(path) can't be given to user '\(name)': expected a directory or a file with a single name",
                hint: "remove \(path) and try again"
            )
        }
        guard fchown(file, uid, gid) == 0 else { throw failed(path, errno) }
    }

    /// Lets this user pass through a directory that stays its maker's: the user reaches in it what belongs to the user, and
    /// can put nothing there.
    ///
    /// In a directory of the user's own, a link that a guest which broke out planted would lead root's tools elsewhere.
    ///
    /// - Throws: `KilnError` with code `owner.failed` where the system refuses.
    func letThrough(_ directory: String) throws {
        let handle = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard handle >= 0 else { throw failed(directory, errno) }
        defer { close(handle) }
        guard fchown(handle, uid_t.max, gid) == 0, fchmod(handle, 0o710) == 0 else { throw failed(directory, errno) }
    }

    /// The innermost directory of an absolute path, itself included, that this user can't pass through.
    ///
    /// Nothing where the way is free. What can't be examined counts as closed.
    /// Groups other than the user's first one are not considered.
    func closedDirectory(onTheWayTo path: String) -> String? {
        var directory = path
        while directory != "/" {
            var found = stat()
            guard stat(directory, &found) == 0 else { return directory }
            let bit: mode_t = found.st_uid == uid ? 0o100 : found.st_gid == gid ? 0o010 : 0o001
            if found.st_mode & bit == 0 { return directory }
            directory = DurableFile.directory(of: directory)
        }
        return nil
    }

    private func failed(_ path: String, _ code: Int32) -> KilnError {
        KilnError(
            .ownerFailed,
            "\(path) can't be given to user '\(name)'",
            hint: "check who owns \(path)",
            cause: String(cString: strerror(code))
        )
    }

    private typealias PasswordQuery = (
        UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32

    private static func lookUp(_ query: PasswordQuery) -> MachineOwner? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        // Larger than any entry of a real system; a longer one is reported as missing.
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65_536) { buffer in
            guard let start = buffer.baseAddress, query(&entry, start, buffer.count, &found) == 0, found != nil else {
                return nil
            }
            return MachineOwner(uid: entry.pw_uid, gid: entry.pw_gid, name: String(cString: entry.pw_name))
        }
    }
}
