import KilnEngine
import KilnModel

/// What is done to one kind of file system, always on a private raw copy: a file system is hostile input, which the host's
/// kernel never mounts.
protocol FileSystemTool: Sendable {
    /// Makes an empty file system whose root directory belongs to the guest's root.
    func make(on raw: String, label: String) async throws
    /// Gives a sound file system another label.
    func rename(_ raw: String, to label: String) async throws
    /// What a check finds, once what the next mount does by itself was done to the copy.
    func check(_ raw: String) async throws -> FileSystemFinding
    /// Repairs what can be repaired; whether that was all is for a check to say.
    func repair(_ raw: String) async throws
    /// The largest size that the file system can be grown to.
    func limit(of raw: String) throws -> FileSystemLimit
    /// Enlarges a sound file system to fill its disk.
    ///
    /// Throws `disk.not-grown` with the program's words where it refuses.
    func grow(_ raw: String) async throws
}

/// How large a file system can become.
struct FileSystemLimit: Sendable, Hashable {
    /// The largest size.
    let size: ByteCount
    /// What sets it, as the end of a sentence.
    let reason: String
}

extension VolumeSpec.FileSystem {
    /// The tool for file systems of this kind.
    ///
    /// - Parameter owner: whom the programs run as, since the content may be crafted; nothing means as this process does.
    func tool(as owner: MachineOwner?) -> any FileSystemTool {
        switch self {
        case .ext4: Ext4Tool(owner: owner)
        }
    }
}
