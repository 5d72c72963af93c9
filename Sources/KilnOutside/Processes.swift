import Foundation
import Glibc

/// The processes, open files and listening ports of this host, read from /proc.
package enum Processes {
    /// A living process.
    package struct Process {
        package let pid: Int32
        package let arguments: [String]
        package var name: String { arguments.first?.split(separator: "/").last.map(String.init) ?? "" }
    }

    /// The processes whose arguments or environment name something below a directory, which no other process does.
    package static func below(_ directory: String) -> [Process] {
        all.filter { $0 != getpid() }.compactMap { pid in
            let arguments = strings(pid, "cmdline")
            // A zombie has no arguments, so it does not count.
            guard !arguments.isEmpty else { return nil }
            let named = (arguments + strings(pid, "environ")).contains { $0.contains(directory + "/") }
            return named ? Process(pid: pid, arguments: arguments) : nil
        }
    }

    /// The letter of proc(5), such as `T` for stopped and `Z` for a zombie; nothing where there is no such process.
    package static func state(of pid: Int32) -> Character? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
        return text.split(separator: ")").last?.split(separator: " ").first?.first
    }

    /// Whether a process is there and no zombie.
    package static func isAlive(_ pid: Int32) -> Bool { state(of: pid).map { $0 != "Z" && $0 != "X" } ?? false }

    /// The processes that the first thread of a process has started.
    package static func children(of pid: Int32) -> [Int32] {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
        return text.split(separator: " ").compactMap { Int32($0) }
    }

    /// Who traces a process, asked of each of its threads; 0 stands for nobody.
    package static func tracers(of pid: Int32) -> Set<Int32> {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        return Set(
            threads.map { thread in
                let status = (try? String(contentsOfFile: "/proc/\(pid)/task/\(thread)/status", encoding: .utf8)) ?? ""
                let line = status.split(separator: "\n").first { $0.hasPrefix("TracerPid:") }
                return line?.split(separator: "\t").last.flatMap { Int32($0) } ?? 0
            }
        )
    }

    /// Lets all threads of a process wait for those of others, where there are not enough processors for all.
    package static func yield(_ pid: Int32) {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        let kind = __priority_which_t(PRIO_PROCESS.rawValue)
        for thread in threads.compactMap(id_t.init) { setpriority(kind, thread, 10) }
    }

    /// The files that a process has open for writing.
    package static func openForWriting(_ pid: Int32) -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []
        return entries.compactMap { entry in
            // proc(5): the mode of the link tells how the file was opened.
            var status = stat()
            guard lstat("/proc/\(pid)/fd/\(entry)", &status) == 0, status.st_mode & 0o200 != 0 else { return nil }
            return try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(entry)")
        }
    }

    /// The TCP ports on which a process listens.
    package static func listeningPorts(_ pid: Int32) -> Set<UInt16> {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []
        let sockets = Set(
            entries.compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\($0)")
            }
        )
        let table = (try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)) ?? ""
        let ports = table.split(separator: "\n").dropFirst().compactMap { line -> UInt16? in
            let fields = line.split(separator: " ")
            guard fields.count > 9, fields[3] == "0A", sockets.contains("socket:[\(fields[9])]") else { return nil }
            return fields[1].split(separator: ":").last.flatMap { UInt16($0, radix: 16) }
        }
        return Set(ports)
    }

    private static var all: [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
    }

    private static func strings(_ pid: Int32, _ file: String) -> [String] {
        content("/proc/\(pid)/\(file)").split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    // By read(2): of each empty file below /proc, and every kernel thread has one, FileManager's 'contents' loses 4 KiB for ever.
    // Whoever looks six times a second for hours has no memory left then.
    private static func content(_ path: String) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        while true {
            let piece = [UInt8](unsafeUninitializedCapacity: 16 << 10) { buffer, count in
                count = max(0, read(file, buffer.baseAddress, buffer.count))
            }
            if piece.isEmpty { return bytes }
            bytes += piece
        }
    }
}
