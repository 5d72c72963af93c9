import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

extension QEMUDiskTool {
    /// Judges a layer; see `DiskTool`.
    ///
    /// - Throws: `disk.refused`.
    public func examineLayer(_ path: String, over backing: String?) throws -> ByteCount {
        let header = try QCOW2Header(of: path)
        guard header.backing == backing else {
            throw KilnError(
                .diskRefused,
                "\(path) stands on \(header.backing.map { Name.quoted($0) } ?? "nothing"), expected "
                    + (backing.map { Name.quoted($0) } ?? "nothing"),
                exit: .invalidFile
            )
        }
        return header.virtualSize
    }

    /// Checks the file system on a private raw copy.
    ///
    /// - Throws: `disk.full`, `tool.missing`, `tool.failed`, `tool.deadline`.
    public func checkFileSystem(_ kind: VolumeSpec.FileSystem, of disk: String) async throws -> FileSystemFinding {
        try await onCopy(of: disk, beside: disk) { raw, _ in try await kind.tool(as: owner).check(raw) }
    }

    /// Repairs the file system on a private copy; the layer holds what that changed.
    ///
    /// - Throws: `disk.beyond-repair`, `disk.newer-features`, `disk.exists`, `disk.full`, `tool.…`.
    public func repairFileSystem(
        _ kind: VolumeSpec.FileSystem,
        of disk: String,
        into layer: String
    ) async throws {
        let tool = kind.tool(as: owner)
        try await edited(disk, into: layer) { raw in
            try await tool.repair(raw)
            switch try await tool.check(raw) {
            case .clean, .replayed: return nil
            case .newer(let features, let program): throw newer(features, program, disk, exit: .aborted)
            case .damaged(let words):
                throw KilnError(
                    .diskBeyondRepair,
                    "the file system on \(disk) could not be repaired",
                    hint: "return to a snapshot, or look at a copy: 'kiln volume export'",
                    cause: words.joined(separator: "; "),
                    exit: .unmet
                )
            }
        }
    }

    /// Enlarges disk and file system on a private copy; the layer holds what that changed.
    ///
    /// - Throws: `disk.not-sound`, `disk.newer-features`, `disk.too-large`, `disk.not-grown`, `disk.exists`, `disk.full`,
    ///   `tool.…`.
    public func growFileSystem(
        _ kind: VolumeSpec.FileSystem,
        of disk: String,
        to size: ByteCount,
        into layer: String
    ) async throws {
        let tool = kind.tool(as: owner)
        try await edited(disk, into: layer) { raw in
            try await requireSound(raw, tool, of: disk)
            try refuseBeyond(try tool.limit(of: raw), size, disk)
            guard let length = Int(exactly: size.bytes) else {
                throw QEMUDiskTool.notEnlarged(raw, disk, to: size, EFBIG)
            }
            guard truncate(raw, length) == 0 else { throw QEMUDiskTool.notEnlarged(raw, disk, to: size, errno) }
            try await tool.grow(raw)
            return size
        }
    }

    /// What a check finds on the raw copy of a file that may become a volume.
    ///
    /// - Throws: `disk.newer-features`.
    func examine(_ raw: String, of file: String) async throws -> FileSystemFinding {
        let finding = try await VolumeSpec.FileSystem.ext4.tool(as: owner).check(raw)
        if case .newer(let features, let program) = finding {
            throw newer(features, program, file, exit: .invalidFile)
        }
        return finding
    }

    private func requireSound(_ raw: String, _ tool: any FileSystemTool, of disk: String) async throws {
        switch try await tool.check(raw) {
        case .clean, .replayed: return
        case .newer(let features, let program): throw newer(features, program, disk, exit: .aborted)
        case .damaged(let words):
            throw KilnError(
                .diskNotSound,
                "the file system on \(disk) is damaged and can't be enlarged",
                hint: "repair it first: 'kiln volume check --repair'",
                cause: words.joined(separator: "; "),
                exit: .aborted
            )
        }
    }

    /// Why the private copy of a disk can't become that long, by the number of the error.
    static func notEnlarged(_ raw: String, _ disk: String, to size: ByteCount, _ number: Int32) -> KilnError {
        guard number == EFBIG else {
            errno = number
            return DurableFile.failure("truncate", raw)
        }
        return KilnError(
            .diskTooLarge,
            "\(disk) can't become \(size): the file system of this host has no files that large",
            hint: "choose a smaller size",
            cause: String(cString: strerror(number)),
            exit: .usage
        )
    }

    private func refuseBeyond(_ limit: FileSystemLimit, _ size: ByteCount, _ disk: String) throws {
        guard size > limit.size else { return }
        // Rounded down to what can be written short.
        let most = ByteCount.mebibytes(limit.size.bytes >> 20)
        throw KilnError(
            .diskTooLarge,
            "the file system on \(disk) can't become \(size): it can have \(most) at most, because \(limit.reason)",
            hint: "choose a smaller size, or make a new volume of that size and copy the data in a guest",
            exit: .usage
        )
    }

    private func newer(_ features: [String], _ program: String, _ disk: String, exit: ExitCode) -> KilnError {
        KilnError(
            .diskNewerFeatures,
            "the file system on \(disk) is newer than the tools of this host: \(program) does not know "
                + features.joined(separator: ", "),
            hint: "it is not damaged for that: use a host with a newer e2fsprogs",
            exit: exit
        )
    }
}
