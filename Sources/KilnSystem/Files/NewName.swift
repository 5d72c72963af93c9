import CLinux
import Foundation
import Glibc

/// A way to give a finished file a name that no file has yet; what has the name already is never replaced.
public enum NewName: Sendable, Hashable, CaseIterable {
    /// A hard link, which FAT, many FUSE and some network file systems don't have.
    case link
    /// renameat2(2) with `RENAME_NOREPLACE`, which NFS, 9p and most FUSE file systems don't have.
    case rename
    /// An empty file that takes the name, and is replaced by the draft if it is still that file.
    ///
    /// Who looks meanwhile may find it empty, which is why it is the last of the ways.
    case reservation

    /// Gives `draft`, a file in the same directory, the name `path` by the first of the ways that its file system has.
    ///
    /// The name isn't durable before its directory was synchronised.
    ///
    /// - Returns: 0, `EEXIST` where something has the name, or the number of the last way's error.
    public static func give(_ path: String, to draft: String, by ways: [NewName] = allCases) -> Int32 {
        var number: Int32 = 0
        for way in ways {
            number = way.attempt(draft, path)
            // Every file system has its own number for what it can't do, so only these two end it.
            if number == 0 || number == EEXIST { break }
        }
        return number
    }

    private func attempt(_ draft: String, _ path: String) -> Int32 {
        switch self {
        case .link:
            guard Foundation.link(draft, path) == 0 else { return errno }
            unlink(draft)
            return 0
        case .rename: return kiln_rename_to_new(draft, path) == 0 ? 0 : errno
        case .reservation: return NewName.reserveAndRename(draft, path)
        }
    }

    private static func reserveAndRename(_ draft: String, _ path: String) -> Int32 {
        let reserved = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard reserved >= 0 else { return errno }
        defer { close(reserved) }
        guard isStill(reserved, path) else { return EEXIST }
        guard Foundation.rename(draft, path) == 0 else {
            let number = errno
            if isStill(reserved, path) { unlink(path) }
            return number
        }
        return 0
    }

    /// Whether the name leads to the open file, and nobody has written to it.
    private static func isStill(_ file: Int32, _ path: String) -> Bool {
        var (opened, named) = (stat(), stat())
        return fstat(file, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev
            && opened.st_ino == named.st_ino && named.st_size == 0
    }
}
