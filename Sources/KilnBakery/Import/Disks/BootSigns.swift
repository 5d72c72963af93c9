import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// What a disk holds for firmware to start it.
struct BootSigns: Sendable, Hashable {
    /// What UEFI would find in a partition.
    enum Loader: Sendable, Hashable {
        /// `EFI/BOOT/BOOTX64.EFI`, which a machine without a memory of its own starts.
        case present
        /// No such file; these are in its place.
        case absent([String])
        /// The file system can't be read, or there is more of it than is read.
        case unread
    }

    private let table: PartitionTable
    /// Of each EFI system partition, by its number, and of others where they have it.
    private let loaders: [Int: Loader]

    init(_ table: PartitionTable, loaders: [Int: Loader]) {
        self.table = table
        self.loaders = loaders
    }

    /// What can start it, the usual one first.
    var firmware: [ImageManifest.Firmware] {
        [ImageManifest.Firmware.bios, .uefi].filter(isStarted(by:))
    }

    /// Whether firmware finds something to start.
    private func isStarted(by firmware: ImageManifest.Firmware) -> Bool {
        switch firmware {
        case .bios: table.hasBootCode
        // One that can't be looked into has the benefit of the doubt.
        case .uefi: loaders.values.contains { $0 == .present || $0 == .unread }
        }
    }

    /// Whether an EFI system partition has loaders, none of which is for x86-64.
    var hasForeignLoader: Bool {
        loaders.values.contains { if case .absent(let others) = $0 { !others.isEmpty } else { false } }
    }

    /// What was found, in the words of a list.
    var description: String {
        let scheme = table.scheme == .none ? "no partition table" : "\(table.scheme.rawValue) with \(partitions)"
        let code = table.hasBootCode ? "boot code in sector 0" : "no boot code in sector 0"
        let core = table.partitions.contains(where: \.isBIOSBoot) ? ["a BIOS boot partition"] : []
        let systems = table.partitions.compactMap { partition in loaders[partition.number].map { described($0) } }
        return ([scheme, code] + core + (systems.isEmpty ? ["no EFI system partition"] : systems)).joined(
            separator: ", "
        )
    }

    private var partitions: String {
        table.partitions.count == 1 ? "1 partition" : "\(table.partitions.count) partitions"
    }

    private func described(_ loader: Loader) -> String {
        switch loader {
        case .present: return "EFI/BOOT/BOOTX64.EFI"
        case .unread: return "an EFI system partition"
        case .absent(let names):
            let shown =
                names.isEmpty ? "" : ", which has \(names.prefix(6).map { Name.quoted($0) }.joined(separator: ", "))"
            return "an EFI system partition without EFI/BOOT/BOOTX64.EFI\(shown)"
        }
    }
}

extension BootSigns {
    /// More than any EFI system partition has; a larger one is not looked into.
    private static let largestPartition: UInt64 = 1 << 30
    private static let mostPartitions = 4

    /// Looks at a disk.
    ///
    /// - Throws: `KilnError` with code `image.refused.…`, `file.…` or `tool.…`.
    init(of disk: ImportedDisk) async throws {
        let size = try QCOW2Header(ofImage: disk.path).virtualSize.bytes
        let start = try await disk.part(from: 0, length: min(size, UInt64(PartitionTable.span)))
        let bytes = try RawFile(start).bytes(at: 0, count: PartitionTable.span)
        let table = PartitionTable(start: bytes, size: size)
        guard !table.isCutOff else {
            let why =
                "its partition table is of a larger disk than the \(ByteCount(bytes: size).rounded) that are there"
            throw ImportedDisk.refused(.imageRefusedGeometry, disk.path, why)
        }
        var loaders: [Int: Loader] = [:]
        for partition in table.partitions.filter({ $0.isSystem || $0.isFAT }).prefix(BootSigns.mostPartitions) {
            let loader = try await BootSigns.loader(in: partition, of: disk)
            if partition.isSystem || loader == .present { loaders[partition.number] = loader }
        }
        self.init(table, loaders: loaders)
    }

    private static func loader(in partition: Partition, of disk: ImportedDisk) async throws -> Loader {
        guard partition.length <= largestPartition else { return .unread }
        let part = try await disk.part(from: partition.start, length: partition.length)
        defer { unlink(part) }
        return try loader(in: RawFile(part))
    }

    /// What UEFI would find in a file system.
    static func loader(in content: any DiskContent) throws -> Loader {
        guard let volume = try FATVolume(content) else { return .unread }
        let names = try volume.names(in: ["EFI", "BOOT"]) ?? []
        return names.contains("BOOTX64.EFI") ? .present : .absent(names.filter { $0 != "." && $0 != ".." })
    }
}
