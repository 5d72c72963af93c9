/// What a switch tells of itself.
public struct SwitchStatus: Sendable, Hashable, Codable {
    /// Why a frame was dropped.
    public enum Drop: String, Sendable, Hashable, Codable, CaseIterable {
        /// It is too short or too long to be a frame.
        case malformed
        /// It comes from another hardware address than its card's, or claims the address of another server.
        case forged
        /// Its port, or the only one that it is for, is down.
        case down
        /// Nobody here has its destination.
        case unknown
        /// Its machine sends more than a port takes.
        case flooded
        /// The port's link was cut on purpose, whichever way the frame went.
        case cut
        /// The network was split on purpose.
        case split
        /// The port's link lost it on purpose, whichever way it went.
        case lost
        /// Too many frames wait for the machine that it is for.
        case full
        /// The machine that it is for does not listen.
        case unreachable
    }

    /// A port with what it counted since the switch was started.
    public struct Port: Sendable, Hashable, Codable {
        /// The port.
        public let port: SwitchPort
        /// Frames that came from its machine.
        public let received: UInt64
        /// Frames that went to its machine.
        public let sent: UInt64
        /// Frames that were dropped, by why; what is the sender's fault counts at the sender's port.
        public let dropped: [String: UInt64]

        /// A port from its parts.
        public init(port: SwitchPort, received: UInt64, sent: UInt64, dropped: [String: UInt64]) {
            self.port = port
            self.received = received
            self.sent = sent
            self.dropped = dropped
        }
    }

    /// Its process.
    public let pid: Int32
    /// Its ports.
    public let ports: [Port]
    /// What is wrong on purpose with the links of servers.
    public let faults: [Name: LinkFault]
    /// The sets of servers between which nothing passes.
    public let sets: [[Name]]

    /// A status from its parts.
    public init(pid: Int32, ports: [Port], faults: [Name: LinkFault], sets: [[Name]]) {
        self.pid = pid
        self.ports = ports
        self.faults = faults
        self.sets = sets
    }
}
