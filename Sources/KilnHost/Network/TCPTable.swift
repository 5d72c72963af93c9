import Foundation
import KilnEngine
import KilnSystem

/// The kernel's table of TCP sockets: proc_net_tcp in the kernel's documentation.
enum TCPTable {
    /// One socket of this network namespace.
    struct Entry: Sendable, Hashable {
        /// Its local port.
        let port: UInt16
        /// Whether it listens.
        let isListening: Bool
        /// Its inode; 0 where no process holds it.
        let inode: UInt64
    }

    /// Reads one line; nothing for the heading and for lines of another shape.
    static func entry(_ line: some StringProtocol) -> Entry? {
        let fields = line.split(separator: " ", omittingEmptySubsequences: true)
        guard fields.count > 9, let inode = UInt64(fields[9]),
            let port = fields[1].split(separator: ":").last.flatMap({ UInt16($0, radix: 16) })
        else { return nil }
        return Entry(port: port, isListening: fields[3] == "0A", inode: inode)
    }

    /// Whether connections that are open, or have been until lately, use the port locally.
    static func hasConnection(onPort port: UInt16) -> Bool {
        entries(port).contains { !$0.isListening }
    }

    /// The process that listens on the port, as far as it can be seen.
    static func listener(onPort port: UInt16) -> FileHolder? {
        let inodes = entries(port).filter { $0.isListening && $0.inode != 0 }.map { "socket:[\($0.inode)]" }
        guard !inodes.isEmpty else { return nil }
        for pid in HostProcesses.all() {
            let holds = HostProcesses.descriptors(of: pid).contains { descriptor in
                (try? FileManager.default.destinationOfSymbolicLink(atPath: descriptor)).map(inodes.contains) ?? false
            }
            if holds { return FileHolder(pid: pid, name: HostProcesses.name(of: pid) ?? "?") }
        }
        return nil
    }

    private static func entries(_ port: UInt16) -> [Entry] {
        ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { path -> [Entry] in
            KernelTable.lines(path).compactMap { entry($0) }.filter { $0.port == port }
        }
    }
}
