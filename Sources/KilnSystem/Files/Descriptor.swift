import Foundation

/// What can be asked of a file descriptor.
public enum Descriptor {
    /// What is to be done with one.
    public enum Use: Sendable {
        /// Something is to be read.
        case reading
        /// Something is to be written.
        case writing

        fileprivate var event: Int16 { Int16(self == .reading ? POLLIN : POLLOUT) }
    }

    /// Whether it can be used without a wait, or not at all any more, which its next use tells.
    ///
    /// - Parameter milliseconds: after which it is no longer waited for.
    public static func isReady(_ descriptor: Int32, for use: Use, within milliseconds: Int32 = 0) -> Bool {
        var polled = pollfd(fd: descriptor, events: use.event, revents: 0)
        return poll(&polled, 1, milliseconds) > 0
    }
}
