import KilnModel

/// The published ports between two machines, when neither has them.
extension ReplacementExecutor {
    /// Keeps anybody else from taking them, until they are released.
    mutating func reserve() {
        reservation = reservation ?? (try? server.parts.ports.reserve(portsBetween))
    }

    /// Lets who is to have them bind them.
    mutating func release() {
        reservation?.release()
        reservation = nil
    }

    // Where a front is to have them, the old machine's own, as long as it may have to come back to them.
    private var portsBetween: [UInt16] {
        get throws {
            let own = try server.tcpPorts(of: new)
            guard let old, try server.frontSpec(of: new) != nil else { return own }
            return try own + server.tcpPorts(of: old)
        }
    }
}
