import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// What is asked before a disk is unpacked: whether there is anything to be read on it, and whether it has room.
extension RootInspector {
    /// A smaller root fits anywhere, however well it is packed.
    private static let harmless: UInt64 = 1 << 30
    /// Real roots are packed to a third, and one that is all the same text to a tenth.
    private static let densest: UInt64 = 100

    /// Narrows a disk down to its root file system: all of it, or a partition.
    ///
    /// That is told by a few sectors, before anything is made to unpack the disk.
    ///
    /// - Throws: `drift.no-file-system`, `disk.…`, `tool.…`.
    func rootChain(of chain: DiskChain) async throws -> DiskChain {
        let size = try QCOW2Header(of: chain.top).virtualSize.bytes
        guard size >= RootPartition.smallest else { throw noFileSystem(chain.top) }
        let start = try await read([0..<min(size / 512 * 512, RootPartition.tables)], of: chain)
        if RootPartition.isFileSystem(start.dropFirst(1024).prefix(512)) { return chain }
        let partitions = RootPartition.candidates(start, diskSize: size)
        guard !partitions.isEmpty else { throw noFileSystem(chain.top) }
        let superblocks = try await read(partitions.map { $0.lowerBound + 1024..<$0.lowerBound + 1536 }, of: chain)
        let found = partitions.indices.first { RootPartition.isFileSystem(superblocks.dropFirst($0 * 512).prefix(512)) }
        guard let found else { throw noFileSystem(chain.top) }
        return chain.part(partitions[found])
    }

    private func read(_ ranges: [Range<UInt64>], of chain: DiskChain) async throws -> [UInt8] {
        let requests = ranges.flatMap { ["-c", "read -v \($0.lowerBound) \($0.count)"] }
        let arguments = ["-r"] + requests + ["--", try chain.description()]
        let bytes = QEMUDiskTool.dumped(try await asMachines("qemu-io", arguments).run().output)
        guard bytes.count == ranges.reduce(0, { $0 + $1.count }) else { throw noFileSystem(chain.top) }
        return bytes
    }

    /// Refuses what would fill the file system of `folder` when it is unpacked, and what holds more than a root can.
    ///
    /// - Throws: `disk.full`, `disk.bomb`, `tool.…`.
    func requireRoom(for chain: DiskChain, in folder: String) async throws {
        struct Measure: Decodable {
            let required: UInt64
        }
        // As qcow2, which counts what is there; raw would count the holes too.
        let arguments = ["measure", "--output=json", "-O", "qcow2", "--", try chain.description()]
        let output = try await asMachines("qemu-img", arguments).run().output
        guard let content = try? JSONDecoder().decode(Measure.self, from: Data(output)).required else {
            throw KilnError(.driftScratchFailed, "qemu-img doesn't tell how much \(chain.top) holds")
        }
        // Its size, not its blocks: some file systems tell those late. Holes in it buy no more than the room there is.
        let packed = chain.files.map(RootInspector.size).reduce(0, +)
        try RootInspector.judge(content: content, packed: packed, free: FreeSpace(at: folder), chain.top, folder)
    }

    static func judge(
        content: UInt64,
        packed: UInt64,
        free: FreeSpace?,
        _ disk: String,
        _ folder: String
    ) throws {
        guard content <= harmless || content / densest <= packed else {
            throw KilnError(
                .diskBomb,
                "\(disk) is not unpacked: it takes \(rounded(packed)), and \(rounded(content)) would come out of it",
                hint: "no root file system is packed so densely; if this one is, add a copy that is not packed: "
                    + "qemu-img convert -O qcow2 FILE COPY",
                exit: .invalidFile
            )
        }
        guard let free, free.bytes < content else { return }
        throw KilnError(
            .diskFull,
            "there is no space to read the root on \(disk): unpacked it takes \(rounded(content)), and \(folder) has "
                + "\(rounded(free.bytes)) free",
            hint: "free some space there, for example with 'kiln gc', and run the command again",
            exit: .aborted
        )
    }

    private static func size(_ path: String) -> UInt64 {
        var found = stat()
        return stat(path, &found) == 0 ? UInt64(found.st_size) : 0
    }

    private static func rounded(_ bytes: UInt64) -> String { "\(max(1, bytes >> 20)) MiB" }
}
