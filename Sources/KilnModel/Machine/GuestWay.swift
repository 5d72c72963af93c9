/// By which way commands get into a guest.
public enum GuestWay: String, Sendable, Hashable, Codable {
    /// Through QEMU's guest agent, which needs no network.
    case agent
    /// Through the guest's SSH server, with Kiln's key, on a port of 127.0.0.1 that nobody else is told of.
    case ssh
    /// By neither: its set-up has ended, no agent has connected, and nobody can log in.
    case closed
}
