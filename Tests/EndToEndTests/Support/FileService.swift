import Foundation
import Glibc

/// A folder that is served by HTTP on a port of 127.0.0.1.
final class FileService: Sendable {
    /// Its address, without a slash at the end.
    let address: String
    private let server: Command

    /// Serves until it is stopped.
    init(_ folder: String) async throws {
        let port = try FileService.freePort()
        address = "http://127.0.0.1:\(port)"
        server = try Command(
            "/usr/bin/busybox",
            ["httpd", "-f", "-p", "127.0.0.1:\(port)", "-h", folder],
            environment: ["PATH": "/usr/bin:/bin"]
        )
        try await eventually("\(address) is served", within: .seconds(20)) { Processes.isListening(port) }
    }

    func stop() { server.send(SIGKILL) }

    deinit { stop() }

    /// A port that nobody has at this moment.
    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw Unfulfilled(what: "a free port", limit: .zero) }
        return UInt16(bigEndian: address.sin_port)
    }
}
