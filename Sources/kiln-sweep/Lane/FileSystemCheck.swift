import Foundation
import KilnOutside

/// What a guest would find on a volume after a power cut: looked at on a private raw copy, never mounted.
struct FileSystemCheck {
    /// The copy, which is changed.
    let image: String
    /// Runs a program to its end.
    let tool: ([String]) throws -> Child.End

    /// Does what the kernel does when it mounts (replays the journal, frees orphans), then checks everything.
    ///
    /// No more than that: a whole `e2fsck -p` would repair what is then not found.
    /// - Returns: what is wrong; nothing where all is well.
    func problem() throws -> String? {
        let replay = try tool(["e2fsck", "-E", "journal_only", "-p", image])
        guard replay.status <= 1 else { return "journal replay: \(FileSystemCheck.said(replay))" }
        let check = try tool(["e2fsck", "-fn", image])
        return check.status == 0 ? nil : "file system: \(FileSystemCheck.said(check))"
    }

    /// The content of a file in it; empty where it isn't there.
    func file(_ path: String) throws -> Data {
        let target = image + ".file"
        try? FileManager.default.removeItem(atPath: target)
        defer { try? FileManager.default.removeItem(atPath: target) }
        _ = try tool(["debugfs", "-R", "dump \(path) \(target)", image])
        return FileManager.default.contents(atPath: target) ?? Data()
    }

    private static func said(_ end: Child.End) -> String {
        "status \(end.status): " + (end.output + end.errors).replacingOccurrences(of: "\n", with: "; ").suffix(400)
    }
}
