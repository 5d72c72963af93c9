import Foundation
import KilnModel

/// The first bytes of a disk that lies in a chain of qcow2 files.
///
/// To start a program for them takes longer than all the rest of a look at a volume.
/// https://gitlab.com/qemu-project/qemu/-/blob/master/docs/interop/qcow2.txt
public enum QCOW2Start {
    private static let longestChain = 256
    // Bits 9 to 55 of an entry are where a cluster begins in the file.
    private static let offsetBits: UInt64 = 0x00ff_ffff_ffff_fe00
    private static let compressedBit: UInt64 = 1 << 62
    private static let zeroBit: UInt64 = 1

    private enum Content {
        case bytes([UInt8])
        case zeros
        /// The file of that name has them.
        case below(String)
    }

    /// Reads them, also while a machine writes to the disk; what its QEMU has not written to the file yet is not seen.
    ///
    /// - Parameter count: at most 64 KiB.
    /// - Returns: nothing where a tool of QEMU's has to be asked: Kiln's own layers are qcow2 with clusters of 64 KiB in one
    ///   directory, and nothing else is read here.
    public static func read(_ count: Int, of disk: String) -> [UInt8]? {
        let directory = DurableFile.directory(of: disk)
        var path = disk
        for _ in 0..<longestChain {
            switch content(count, of: path) {
            case nil: return nil
            case .bytes(let bytes): return bytes
            case .zeros: return [UInt8](repeating: 0, count: count)
            case .below(let name):
                // A QEMU that was taken over may have written any name.
                guard !name.contains("/") else { return nil }
                path = directory + "/" + name
            }
        }
        return nil
    }

    private static func content(_ count: Int, of path: String) -> Content? {
        let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)
        guard opened >= 0 else { return nil }
        let file = OpenFile(owning: opened, path: path)
        guard (try? file.isRegular) == true, let head = try? HeaderBytes(file),
            let header = try? QCOW2Header(head, standing: .onLayer), header.clusterSize >= UInt64(count),
            header.virtualSize.bytes >= UInt64(count), !header.hasExtendedEntries,
            let table = entry(at: head.long(at: 40), of: file)
        else { return nil }
        let rest = header.backing.map(Content.below) ?? .zeros
        // One that lies elsewhere than at the start of a cluster is damaged, and QEMU says so.
        func isWhole(_ entry: UInt64) -> Bool { (entry & offsetBits).isMultiple(of: header.clusterSize) }
        guard table & offsetBits != 0 else { return rest }
        guard isWhole(table), let cluster = entry(at: table & offsetBits, of: file), isWhole(cluster),
            cluster & compressedBit == 0
        else { return nil }
        if cluster & zeroBit != 0 { return header.version == 3 ? .zeros : nil }
        guard cluster & offsetBits != 0 else { return rest }
        return bytes(count, at: cluster & offsetBits, of: file).map(Content.bytes)
    }

    private static func entry(at offset: UInt64, of file: borrowing OpenFile) -> UInt64? {
        bytes(8, at: offset, of: file)?.reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func bytes(_ count: Int, at offset: UInt64, of file: borrowing OpenFile) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: count)
        let read = try? buffer.withUnsafeMutableBytes { try file.read(into: $0, at: Int(clamping: offset)) }
        return read == count ? buffer : nil
    }
}
