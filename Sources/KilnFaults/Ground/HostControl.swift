import KilnSystem

/// What faults do to this host: signals to processes, a lock on a file, a port.
package protocol HostControl: Sendable {
    /// Sends a signal; false where there is no such process, or it belongs to somebody else.
    func send(_ signal: Int32, to pid: Int32) -> Bool
    /// What a process is doing now.
    func state(of pid: Int32) -> HostProcesses.State
    /// What a process was started with; empty where that can't be told.
    func arguments(of pid: Int32) -> [String]
    /// Takes the locks on a disk that a QEMU takes whose guest writes to it.
    ///
    /// - Throws: `fault.impossible` where somebody has it.
    func hold(_ path: String) throws -> any HeldResource
    /// Listens on a port of 127.0.0.1, and answers nobody.
    ///
    /// - Throws: `fault.impossible` where somebody does already.
    func listen(on port: UInt16) throws -> any HeldResource
    /// Overwrites a part of a disk with zeros, in its own layer; nobody may have it open.
    ///
    /// - Throws: `KilnError` with a code `tool.…`.
    func erase(_ part: DiskPart, of disk: String) async throws
    /// Whether nothing but zeros is read there.
    func isErased(_ part: DiskPart, of disk: String) async throws -> Bool
}

/// A part of a disk, as its guest reads it.
package enum DiskPart: Sendable, Hashable {
    /// Its first 16 MiB.
    case beginning
    /// All that comes after these.
    case rest

    /// Enough for a partition table and the superblock of the first file system, and less than any system fits into.
    static let boundary: Int = 16 << 20

    var words: String {
        switch self {
        case .beginning: "the first 16 MiB"
        case .rest: "what comes after the first 16 MiB"
        }
    }
}

/// Something of the host that is held until it is given back.
package protocol HeldResource: Sendable {
    /// Gives it back; once is enough.
    func release()
}
