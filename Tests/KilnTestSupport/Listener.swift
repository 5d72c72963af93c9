import Foundation
import Glibc
import KilnModel

/// A listener on a port of 127.0.0.1 that the kernel chose; it accepts nothing.
public final class Listener: Sendable {
    /// The port.
    public let port: UInt16
    /// What is listened on.
    public let socket: Int32

    /// A listener that lets so many wait to be accepted; without a number it has the port, and every connection is refused.
    public init(backlog: Int32? = 8) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) }
        }
        let told = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        guard bound == 0, told == 0, backlog.map({ listen(socket, $0) }) ?? 0 == 0 else {
            throw KilnError("test.no-listener", "no listener")
        }
        self.socket = socket
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(socket) }
}
