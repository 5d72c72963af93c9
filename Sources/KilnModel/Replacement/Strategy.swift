/// How one generation follows another.
public enum Strategy: String, Sendable, Hashable, Codable, CaseIterable {
    /// The old machine is stopped, then the new one is booted: needs the memory of one.
    case stopFirst = "stop-first"
    /// The new machine boots while the old one serves, and takes over its volumes: needs the memory of two, and the
    /// service is away for seconds instead of a boot.
    case warmFirst = "warm-first"
}

/// What becomes of what was written between the handover and a revert.
public enum DataOnRevert: String, Sendable, Hashable, Codable, CaseIterable {
    /// The old generation goes on with it.
    case keep
    /// The old generation gets the volumes as they were before the replacement; what was discarded is kept as volumes.
    case restore
}
