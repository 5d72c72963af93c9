import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

extension QEMUDiskTool {
    /// Writes a disk to a new file that stands alone; it appears under its name when it is whole.
    ///
    /// - Throws: `disk.exists`, `disk.full`, `disk.not-made`, `tool.…`.
    public func exportDisk(_ disk: String, to file: String, as format: DiskFormat) async throws {
        try refuseExisting(file)
        // A name of its own length: with the file's in it, it could be too long.
        let draft = "\(DurableFile.directory(of: file))/.kiln-\(UUID().uuidString)"
        try await explainingFullDisk(at: file) {
            let made = open(draft, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard made >= 0 else { throw errno == ENOSPC ? DurableFile.failure("open", file) : notMade(file, errno) }
            close(made)
            defer { unlink(draft) }
            do {
                let arguments = ["convert", "-q", "-f", "qcow2", "-O", format.rawValue, "--", disk, draft]
                try await qemuImg(arguments, writing: draft)
            } catch let error as KilnError {
                let length = format == .raw ? try QCOW2Header(of: disk).virtualSize.bytes : 0
                throw QEMUDiskTool.isTooLong(draft, for: length) ? notMade(file, EFBIG) : error
            }
            // A volume that is made of it is another one.
            switch format {
            case .raw: try QEMUDiskTool.write(VolumeMark(), toRaw: draft)
            case .qcow2: _ = try await setMark(VolumeMark(), of: draft)
            }
            try DurableFile.synchronize(draft)
            switch NewName.give(file, to: draft, by: newNames) {
            case 0: break
            // A file that came meanwhile.
            case EEXIST: throw exists(file)
            case let number: throw notMade(file, number)
            }
        }
        try DurableFile.synchronize(DurableFile.directory(of: file))
    }

    /// Makes a volume's first layer from a foreign disk.
    ///
    /// Its label becomes the volume's: beside the disk of a cloud image, one with that of the image's root may be mounted in
    /// its place. The UUID stays, since what is on it may name it.
    ///
    /// - Throws: `disk.refused`, `disk.not-ext4`, `disk.exists`, `disk.full`, `tool.…`.
    public func importDisk(
        _ file: String,
        to layer: String,
        label: String,
        mark: VolumeMark
    ) async throws -> ForeignVolume {
        try refuseExisting(layer)
        let format = try QEMUDiskTool.judgedFormat(of: file)
        return try await onCopy(of: file, beside: layer, format: format) { raw, directory in
            guard let superblock = try Superblock(of: raw), superblock.hasExtents else {
                throw KilnError(
                    .diskNotExt4,
                    "\(file) does not hold an ext4 file system at its start",
                    hint: "a volume is a file system without partitions, such as 'mke2fs -t ext4 FILE' makes",
                    exit: .invalidFile
                )
            }
            if case .damaged(let words) = try await examine(raw, of: file) {
                throw KilnError(
                    .diskNotExt4,
                    "the file system on \(file) is damaged",
                    hint: "repair a copy of it with e2fsck, then import that",
                    cause: words.joined(separator: "; "),
                    exit: .invalidFile
                )
            }
            let draft = directory + "/disk"
            if superblock.label != label { try await VolumeSpec.FileSystem.ext4.tool(as: owner).rename(raw, to: label) }
            try QEMUDiskTool.write(mark, toRaw: raw)
            try await qemuImg(["convert", "-q", "-f", "raw", "-O", "qcow2", "--", raw, draft], writing: draft)
            chmod(draft, 0o600)
            try DurableFile.publish(draft, as: layer)
            return ForeignVolume(
                size: try QCOW2Header(of: layer).virtualSize,
                label: superblock.label,
                identity: superblock.identity
            )
        }
    }

    /// The format of a foreign file that needs no other file; what it calls itself counts for nothing.
    private static func judgedFormat(of file: String) throws -> DiskFormat {
        let bytes = try HeaderBytes(file, followingLinks: true)
        guard bytes.word(at: 0) == 0x5146_49fb else {
            let isExt = bytes.bytes.dropFirst(1080).starts(with: [0x53, 0xef])
            if !isExt, let foreign = ForeignFormat.of(bytes), !foreign.isRaw {
                throw KilnError(
                    .diskRefused,
                    "\(file) can't be used as a disk: it is \(foreign.name), and neither raw nor qcow2",
                    hint: foreign.hint,
                    exit: .invalidFile
                )
            }
            guard bytes.size > 0, bytes.size.isMultiple(of: 512), bytes.size <= QCOW2Header.largest.bytes else {
                throw bytes.refused("its size is no whole number of sectors of 512 bytes")
            }
            return .raw
        }
        let header = try QCOW2Header(of: URL(fileURLWithPath: file).resolvingSymlinksInPath().path)
        guard header.backing == nil else {
            throw bytes.refused(
                "it needs another file below it; 'qemu-img convert -O qcow2 FILE COPY' makes a copy that stands alone"
            )
        }
        return .qcow2
    }

    /// Whether a file that a program could not write is as long as its file system lets it be: one on FAT has at most 4 GiB.
    ///
    /// - Parameter length: how long it has to become; at least a little longer than it is.
    private static func isTooLong(_ draft: String, for length: UInt64) -> Bool {
        var status = stat()
        guard stat(draft, &status) == 0 else { return false }
        // What qemu-img writes at once.
        let next = max(Int(clamping: length), Int(status.st_size) + (2 << 20))
        return truncate(draft, next) != 0 && errno == EFBIG
    }

    func refuseExisting(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) != 0 else { throw exists(path) }
    }

    private func exists(_ path: String) -> KilnError {
        KilnError(
            .diskExists,
            "\(path) exists already; a disk is never overwritten",
            hint: "name another file, or remove that one yourself",
            exit: .aborted
        )
    }

    private func notMade(_ path: String, _ number: Int32) -> KilnError {
        KilnError(
            .diskNotMade,
            "\(path) can't be made",
            hint: number == EFBIG
                ? "its file system takes no file that large: 'kiln volume export --as qcow2' writes only what is in use"
                : "check that its directory exists and belongs to you",
            cause: String(cString: strerror(number)),
            exit: .aborted
        )
    }
}
