import Foundation
import Glibc

/// The processes and listening ports of this host, read from /proc.
enum Processes {
    /// The process identifiers whose command line contains every one of the texts.
    static func matching(_ texts: String...) -> [Int32] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { Int32($0) }.filter { pid in
            guard pid != getpid(), state(of: pid) != "Z" else { return false }
            let line = commandLine(of: pid)
            return texts.allSatisfy { line.contains($0) }
        }
    }

    static func commandLine(of pid: Int32) -> String {
        let bytes = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/cmdline"))) ?? Data()
        return String(decoding: bytes, as: UTF8.self).replacingOccurrences(of: "\0", with: " ")
    }

    /// The letter of proc(5), such as `T` for stopped and `Z` for a zombie; nothing where there is no such process.
    static func state(of pid: Int32) -> Character? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
        return text.split(separator: ")").last?.split(separator: " ").first?.first
    }

    /// The user who runs a process.
    static func user(of pid: Int32) -> uid_t? {
        var found = stat()
        return stat("/proc/\(pid)", &found) == 0 ? found.st_uid : nil
    }

    /// Whether a process has a file of that name open.
    static func holds(_ pid: Int32, _ name: String) -> Bool {
        let directory = "/proc/\(pid)/fd"
        let open = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return open.contains { entry in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\(entry)")
            return target?.hasSuffix("/" + name) == true
        }
    }

    /// Whether something listens on a TCP port of this host.
    static func isListening(_ port: UInt16) -> Bool {
        let wanted = String(format: ":%04X", port)
        let table = (try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)) ?? ""
        return table.split(separator: "\n").dropFirst().contains { line in
            let fields = line.split(separator: " ")
            return fields.count > 3 && fields[1].hasSuffix(wanted) && fields[3] == "0A"
        }
    }
}

/// Listens on a port of 127.0.0.1 that the kernel chose; whoever connects is told `hello`.
final class Listener: Sendable {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw Unfulfilled(what: "a listening socket", limit: .zero) }
        self.descriptor = descriptor
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread {
            while true {
                let connection = accept(descriptor, nil, nil)
                if connection < 0 { break }
                _ = write(connection, "hello\n", 6)
                close(connection)
            }
            close(descriptor)
        }
    }

    // Wakes the thread, which closes the socket.
    deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
