import Foundation
import KilnModel
import KilnSystem

/// What comes out of a unix socket, as a stream of chunks that ends with the connection.
enum SocketStream {
    /// Connects to the socket at `path`, or returns nothing where nobody listens.
    static func connect(to path: String) -> AsyncStream<[UInt8]>? {
        (try? UnixSocket.connect(to: path)).map(stream)
    }

    /// What comes out of a connected socket, which is closed at its end.
    ///
    /// Reading blocks a thread of its own, not one of the pool; to shut the socket down ends it.
    static func stream(_ descriptor: Int32) -> AsyncStream<[UInt8]> {
        let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
        continuation.onTermination = { _ in _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 16384)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { break }
                continuation.yield(Array(buffer.prefix(count)))
            }
            continuation.finish()
            close(descriptor)
        }
        return stream
    }
}
