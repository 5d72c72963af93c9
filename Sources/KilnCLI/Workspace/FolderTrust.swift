import Foundation
import Glibc

/// Who may have written what root is about to run or follow because it lies in the current directory.
///
/// A recipe holds programs. Root may stand anywhere, such as in `/tmp` or another user's home, so a folder that is only
/// found there counts where nobody but root, or the user who called `sudo`, can have put it there. Git does the same with
/// repositories (`safe.directory`).
struct FolderTrust: Sendable {
    /// The users who may write.
    let users: Set<uid_t>
    /// The groups that may write: root's, and the one of the user who called sudo, in which Debian puts nobody else.
    let groups: Set<gid_t>

    /// For this process; nothing for a plain user, who runs what is theirs to run.
    static var ofProcess: FolderTrust? {
        guard geteuid() == 0 else { return nil }
        let environment = ProcessInfo.processInfo.environment
        return FolderTrust(
            users: Set([0] + [environment["SUDO_UID"].flatMap { uid_t($0) }].compactMap(\.self)),
            groups: Set([0] + [environment["SUDO_GID"].flatMap { gid_t($0) }].compactMap(\.self))
        )
    }

    /// What speaks against a folder: who else can write to it, to something in it, to a folder above it, or to what a link
    /// among these leads to that is no link for a guest.
    func objection(to folder: String) -> String? {
        var judged: Set<String> = []
        return objection(toAllOf: folder, &judged)
    }

    // The owner of a link has only made the link, so each step that it takes is judged by itself.
    private func objection(toAllOf place: String, _ judged: inout Set<String>) -> String? {
        let place = URL(fileURLWithPath: place).standardizedFileURL.path
        guard judged.insert(place).inserted else { return nil }
        if let objection = objection(above: place) { return objection }
        if let objection = objection(entry: place, isAbove: false) { return objection }
        for target in FolderTrust.targets(of: place) {
            if let objection = objection(toTarget: target, &judged) { return objection }
        }
        guard !FolderTrust.isLink(place), let entries = FileManager.default.enumerator(atPath: place) else {
            return nil
        }
        for case let entry as String in entries {
            let path = "\(place)/\(entry)"
            if let objection = objection(entry: path, isAbove: false) { return objection }
            guard FolderTrust.isLink(path), !FolderTrust.isForGuest(entry, at: path) else { continue }
            if let objection = objection(toAllOf: path, &judged) { return objection }
        }
        return nil
    }

    private func objection(above place: String) -> String? {
        var above = URL(fileURLWithPath: place).deletingLastPathComponent().path
        while true {
            if let objection = objection(entry: above, isAbove: true) { return objection }
            if above == "/" { return nil }
            above = URL(fileURLWithPath: above).deletingLastPathComponent().path
        }
    }

    // Where a link leads to nothing, it matters who can put something there, or a folder on the way: sticky folders let everybody.
    private func objection(toTarget target: String, _ judged: inout Set<String>) -> String? {
        var status = stat()
        guard lstat(target, &status) != 0, errno == ENOENT else { return objection(toAllOf: target, &judged) }
        var folder = URL(fileURLWithPath: target).standardizedFileURL.path
        repeat {
            folder = URL(fileURLWithPath: folder).deletingLastPathComponent().path
        } while lstat(folder, &status) != 0 && errno == ENOENT && folder != "/"
        return objection(above: folder) ?? objection(entry: folder, isAbove: false)
    }

    /// Where a path leads: its link's next step, and the end of all links in it; none where it is what it says.
    private static func targets(of path: String) -> [String] {
        var targets: [String] = []
        if let step = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            targets.append(step.hasPrefix("/") ? step : "\(folder)/\(step)")
        }
        if let end = realpath(path, nil) {
            targets.append(String(cString: end))
            free(end)
        }
        return targets.filter { $0 != path }
    }

    /// Whether a link is one that goes into an image as it is, such as a unit's to /dev/null.
    ///
    /// It lies in a folder of a recipe, its path begins at a root, and what it leads to here is another thing than there. Recipes can't
    /// name what lies outside of them.
    private static func isForGuest(_ entry: String, at path: String) -> Bool {
        entry.split(separator: "/").count > 2
            && (try? FileManager.default.destinationOfSymbolicLink(atPath: path))?.hasPrefix("/") == true
    }

    private static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    private func objection(entry: String, isAbove: Bool) -> String? {
        var status = stat()
        guard lstat(entry, &status) == 0 else { return "\(entry) can't be read: \(String(cString: strerror(errno)))" }
        guard users.contains(status.st_uid) else {
            return
                "\(entry) belongs to user \(status.st_uid), who is neither root nor who called it; name it with --folder"
        }
        // A link has no mode of its own; in a sticky folder, such as /tmp, only an entry's owner can move it away.
        let isLink = status.st_mode & S_IFMT == S_IFLNK
        let isSticky = isAbove && status.st_mode & S_ISVTX != 0
        guard !isLink, !isSticky else { return nil }
        let byGroup = status.st_mode & S_IWGRP != 0 && !groups.contains(status.st_gid)
        guard status.st_mode & S_IWOTH == 0, !byGroup else {
            return "other users can write to \(entry); take that from them with 'chmod go-w', or name it with --folder"
        }
        return nil
    }
}
