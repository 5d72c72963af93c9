import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

extension QEMUDiskTool {
    /// Reads the mark through the whole chain, in some ten milliseconds.
    ///
    /// Also of a disk that a machine writes to: `-U` takes no lock. What its guest has not flushed yet is not seen.
    ///
    /// - Throws: `disk.no-mark-read`, `tool.…`.
    public func mark(of disk: String) async throws -> VolumeMark.Finding {
        let read = "read -v \(VolumeMark.offset) \(VolumeMark.length)"
        let arguments = ["-U", "-r", "-f", "qcow2", "-c", read, "--", disk]
        let output = try await Command("qemu-io", arguments, deadline: .seconds(60), limits: .diskImage).run()
        let bytes = QEMUDiskTool.dumped(output.output)
        guard bytes.count == VolumeMark.length else {
            throw KilnError(
                .diskNoMarkRead,
                "qemu-io gave \(bytes.count) bytes of \(disk), expected \(VolumeMark.length)",
                hint: "see whether the file is whole: 'kiln volume check'",
                cause: output.text,
                exit: .halted
            )
        }
        return VolumeMark.finding(in: bytes)
    }

    /// Writes a mark to a layer that nobody has open.
    ///
    /// - Throws: `disk.full`, `tool.…`.
    public func setMark(_ mark: VolumeMark, of layer: String) async throws {
        try await explainingFullDisk(at: layer) {
            try await DurableFile.withPrivateDirectory(beside: layer) { directory in
                let file = directory + "/mark"
                try DurableFile.write(Data(mark.bytes), to: file, mode: 0o600)
                let write = "write -q -s \(QEMUDiskTool.quoted(file)) \(VolumeMark.offset) \(VolumeMark.length)"
                let arguments = ["-f", "qcow2", "-c", write, "--", layer]
                try await Command("qemu-io", arguments, deadline: .seconds(60), limits: .diskImage).run()
            }
        }
    }

    static func write(_ mark: VolumeMark, toRaw raw: String) throws {
        let file = open(raw, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        defer { if file >= 0 { close(file) } }
        guard file >= 0, pwrite(file, mark.bytes, VolumeMark.length, off_t(VolumeMark.offset)) == VolumeMark.length
        else { throw DurableFile.failure("pwrite", raw) }
    }

    /// The bytes in lines such as `00000200:  4b 49 4c 4e …  KILN…`.
    static func dumped(_ text: [UInt8]) -> [UInt8] {
        String(decoding: text, as: UTF8.self).split(separator: "\n").flatMap { line -> [UInt8] in
            guard let colon = line.firstIndex(of: ":") else { return [] }
            // Sixteen bytes a line; what follows is the same as text, which may look like numbers.
            return line[line.index(after: colon)...].split(separator: " ").prefix(16).compactMap {
                $0.count == 2 ? UInt8($0, radix: 16) : nil
            }
        }
    }

    // qemu-io splits its commands at blanks, and takes double quotes.
    private static func quoted(_ path: String) -> String { "\"\(path)\"" }
}
