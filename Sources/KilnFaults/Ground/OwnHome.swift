/// A home that belongs to one run, with a daemon and file systems of its own: only there faults of the host are made.
package protocol OwnHome: Sendable {
    /// The folder whose small file system has a part of the state.
    func folder(of part: HomePart) -> String
    /// The process of its daemon; nothing where none runs.
    func daemon() async throws -> Int32?
}

/// A part of a home that has a file system of its own.
package enum HomePart: String, Sendable, Hashable, CaseIterable {
    /// Labs, their journals and the roots of their machines.
    case labs
    /// The volumes of all labs.
    case volumes
}
