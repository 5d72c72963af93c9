import Foundation
import Glibc

/// What /proc tells of the processes of this host: proc(5).
///
/// By read(2): of each empty file there, and every kernel thread has one, FileManager's `contents` loses a page for ever.
public enum HostProcesses {
    /// What a process is doing.
    public enum State: Sendable, Hashable {
        case running
        /// It stands still by a signal.
        case stopped
        /// There is none, or it is only waited for.
        case gone
    }

    /// All process ids.
    public static func all() -> [Int32] { entries("/proc").compactMap { Int32($0) } }

    /// The name of a process, at most 15 bytes, made safe to print; nothing where it is gone.
    public static func name(of pid: Int32) -> String? {
        let bytes = content(pid, "comm")
        return bytes.isEmpty ? nil : Printable.text(bytes)
    }

    /// What a process is doing now.
    public static func state(of pid: Int32) -> State {
        // Its name stands in parentheses, and may hold some itself.
        let text = String(decoding: content(pid, "stat"), as: UTF8.self)
        guard let letter = text.split(separator: ")").last?.split(separator: " ").first?.first else { return .gone }
        return switch letter {
        case "T", "t": .stopped
        case "Z", "X": .gone
        default: .running
        }
    }

    /// What a process was started with; empty where that can't be told.
    public static func arguments(of pid: Int32) -> [String] { words(pid, "cmdline") }

    /// What the descriptors of a process lead to; nothing of one that is gone or may not be examined.
    public static func descriptors(of pid: Int32) -> [String] {
        let folder = "/proc/\(pid)/fd"
        return entries(folder).map { "\(folder)/\($0)" }
    }

    /// The processes, but for this one, whose arguments or environment name one of some folders, or something in it.
    public static func naming(_ folders: [String]) -> [Int32] {
        all().filter { pid in
            // A zombie has neither.
            pid != getpid()
                && ["cmdline", "environ"].contains { file in
                    words(pid, file).contains { word in folders.contains { names(word, $0) } }
                }
        }
    }

    /// Whether a word, such as `KILN_HOME=/srv/kiln` or `file=/srv/kiln/disk,if=none`, has the path in it as it stands.
    static func names(_ word: String, _ path: String) -> Bool {
        word.ranges(of: path).contains { range in
            let before = range.lowerBound == word.startIndex ? nil : word[word.index(before: range.lowerBound)]
            let after = range.upperBound == word.endIndex ? nil : word[range.upperBound]
            return (before.map { "=:,;\"'".contains($0) } ?? true) && (after.map { "/:,;\"'".contains($0) } ?? true)
        }
    }

    private static func words(_ pid: Int32, _ file: String) -> [String] {
        content(pid, file).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func content(_ pid: Int32, _ file: String) -> [UInt8] { KernelTable.bytes("/proc/\(pid)/\(file)") }

    private static func entries(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }
}
