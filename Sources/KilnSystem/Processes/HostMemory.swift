import Foundation
import KilnModel

/// How much memory this process and its children may still take.
public enum HostMemory {
    /// What is free, or can be made free, on the host and within the control group; nothing where that can't be told.
    public static func available() -> ByteCount? {
        let host = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)).flatMap(available(in:))
        return [host, group("/sys/fs/cgroup")].compactMap(\.self).min().map { ByteCount(bytes: $0) }
    }

    // https://docs.kernel.org/filesystems/proc.html: an estimate, in KiB.
    static func available(in meminfo: String) -> UInt64? {
        meminfo.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }?
            .split(separator: " ").dropFirst().first.flatMap { UInt64($0) }.map { $0 << 10 }
    }

    // Of a container's own control group, version 2; "max" is no limit.
    private static func group(_ folder: String) -> UInt64? {
        func number(_ file: String) -> UInt64? {
            let text = try? String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            return text.flatMap { UInt64($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        guard let most = number("memory.max"), let used = number("memory.current") else { return nil }
        return most > used ? most - used : 0
    }
}
