import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// The qcow2 file that is made of a disk from outside.
struct ImportedDisk: Sendable {
    /// Where it is.
    let path: String
    /// Where working files may be made.
    let folder: String

    /// Makes it of a file, which stays unless it may be moved: a qcow2 file as it is, and a raw disk converted.
    ///
    /// The copy is what gets checked, so nobody can change the file in between: first by Kiln's own header parser, then
    /// by qemu-img.
    ///
    /// - Parameter note: is told what is odd and does no harm.
    /// - Throws: `KilnError` with code `image.refused.REASON`, `image.check-failed`, `disk.full`, `file.…` or `tool.…`.
    init(of file: TakenFile, at path: String, in folder: String, note: @Sendable (String) -> Void) async throws {
        self.path = path
        self.folder = folder
        let (source, isOwn) = (file.path, file.isOwn)
        let isRaw = try await BlockingWork.run { try ImportedDisk.isRaw(source) }
        if isRaw {
            try await convert(source)
        } else {
            try await BlockingWork.run {
                // Refused early where the header tells; what counts is the look at the copy.
                _ = try QCOW2Header(ofImage: source)
                if isOwn { try DurableFile.rename(source, to: path) } else { try SparseCopy.copy(source, to: path) }
                _ = try QCOW2Header(ofImage: path)
            }
        }
        try await check(note)
    }

    /// Whether a file is a disk byte by byte, as its boot sector or its file system tells.
    private static func isRaw(_ path: String) throws -> Bool {
        let start = try HeaderBytes(try OpenFile(reading: path))
        guard start.word(at: 0) != 0x5146_49fb, ForeignFormat.of(start)?.isRaw == true else { return false }
        guard start.size.isMultiple(of: 512) else {
            throw refused(
                .imageRefusedGeometry,
                path,
                "it is a raw disk that ends within a sector: it is damaged or cut off"
            )
        }
        guard start.size <= QCOW2Header.largest.bytes else {
            throw refused(.imageRefusedTooLarge, path, "its disk is larger than \(QCOW2Header.largest)")
        }
        return true
    }

    // Without -W: several writers would put the clusters in another order each time.
    private func convert(_ source: String) async throws {
        // An absolute path, in which qemu-img sees no protocol.
        let arguments = [
            "convert", "-q", "-f", "raw", "-O", "qcow2", "--", URL(fileURLWithPath: source).standardizedFileURL.path,
            path,
        ]
        let command = Command("qemu-img", arguments, deadline: .seconds(3_600), limits: .diskImage)
        try await command.run(writing: path)
    }

    private func check(_ note: @Sendable (String) -> Void) async throws {
        let found = try await Command(
            "qemu-img",
            ["check", "-q", "-f", "qcow2", path],
            deadline: .seconds(1_800),
            limits: .diskImage
        ).result()
        switch found.status {
        case 0: return
        // Clusters that are counted and that nobody uses, as a killed QEMU leaves them.
        case 3: note("\(path) has leaked clusters: they take space and harm no data")
        default:
            throw KilnError(
                .imageCheckFailed,
                "\(path) can't be an image: qemu-img finds it damaged",
                hint: "fetch or convert it again",
                cause: Printable.text(found.errors),
                exit: .invalidFile
            )
        }
    }

    static func refused(_ code: ErrorCode, _ path: String, _ why: String) -> KilnError {
        KilnError(code, "\(path) can't be an image: \(why)", hint: "fetch it again", exit: .invalidFile)
    }
}

extension ImportedDisk {
    /// A part of the disk's content as a raw file, made by qemu-img, which opens this file and no other.
    ///
    /// - Throws: `KilnError` with code `tool.…`.
    func part(from offset: UInt64, length: UInt64) async throws -> String {
        let target = "\(folder)/part-\(offset)"
        unlink(target)
        let part = Node(driver: "raw", offset: offset, size: length, file: Node(path))
        let description = "json:" + String(decoding: try JSONEncoder().encode(part), as: UTF8.self)
        let arguments = ["convert", "-q", "-O", "raw", "--", description, target]
        try await Command("qemu-img", arguments, deadline: .seconds(600), limits: .diskImage).run()
        return target
    }

    /// A node of QEMU's block layer.
    ///
    /// https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html#object-QMP-block-core.BlockdevOptionsRaw
    private final class Node: Encodable {
        let driver: String
        private let offset: UInt64?
        private let size: UInt64?
        private let file: Node?
        private let filename: String?

        init(driver: String, offset: UInt64? = nil, size: UInt64? = nil, file: Node) {
            (self.driver, self.offset, self.size, self.file, filename) = (driver, offset, size, file, nil)
        }

        private init(file path: String) { (driver, offset, size, file, filename) = ("file", nil, nil, nil, path) }

        /// A qcow2 file with nothing below it: its header was judged.
        convenience init(_ path: String) { self.init(driver: "qcow2", file: Node(file: path)) }
    }
}
