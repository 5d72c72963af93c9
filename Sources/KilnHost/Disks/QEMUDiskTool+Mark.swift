import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

extension QEMUDiskTool {
    /// Reads the mark through the whole chain, in a millisecond.
    ///
    /// Also of a disk that a machine writes to. What its guest has not flushed yet is not seen.
    ///
    /// - Throws: `disk.no-mark-read`, `tool.…`.
    public func mark(of disk: String) async throws -> VolumeMark.Finding {
        // As the user who runs machines: a QEMU that was taken over may have changed the file's header since it was judged.
        VolumeMark.finding(in: try await head(of: disk, as: owner?.identity))
    }

    private func head(of disk: String, as user: Command.User? = nil) async throws -> [UInt8] {
        if let read = QCOW2Start.read(VolumeMark.reach, of: disk) { return read }
        let read = "read -v 0 \(VolumeMark.reach)"
        // -U takes no lock, so that the disk may be in use.
        let arguments = ["-U", "-r", "-f", "qcow2", "-c", read, "--", disk]
        let command = Command("qemu-io", arguments, deadline: .seconds(60), limits: .diskImage, user: user)
        let output = try await command.run()
        let bytes = QEMUDiskTool.dumped(output.output)
        guard bytes.count == VolumeMark.reach else {
            throw KilnError(
                .diskNoMarkRead,
                "qemu-io gave \(bytes.count) bytes of \(disk), expected \(VolumeMark.reach)",
                hint: "see whether the file is whole: 'kiln volume check'",
                cause: output.text,
                exit: .halted
            )
        }
        return bytes
    }

    /// Writes a mark to a layer that nobody has open.
    ///
    /// - Returns: false where there is no ext4, its journal is still to be replayed, or something else has the mark's place.
    /// - Throws: `disk.full`, `tool.…`.
    public func setMark(_ mark: VolumeMark, of layer: String) async throws -> Bool {
        guard let bytes = mark.bytes(on: try await head(of: layer)) else { return false }
        let (input, output) = try QEMUDiskTool.ends(of: bytes)
        defer { [input, output].forEach { close($0) } }
        // Standard input needs no name: qemu-io splits its commands at blanks, and knows no quotes.
        let write = "write -q -s /dev/stdin \(VolumeMark.offset) \(VolumeMark.length)"
        let command = Command(
            "qemu-io",
            ["-f", "qcow2", "-c", write, "--", layer],
            deadline: .seconds(60),
            limits: .diskImage
        )
        try await explainingFullDisk(at: layer) {
            let result = try await command.result(reading: input, writing: output)
            guard result.status == 0 else { throw command.failure(result, writing: layer) }
        }
        return true
    }

    /// A pipe that holds some bytes and has an end, and what swallows an output.
    private static func ends(of bytes: [UInt8]) throws -> (input: Int32, output: Int32) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FileError.failed(.fileUnwritable, "make", "a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let output = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { close(ends[1]) }
        // Far less than a pipe takes without a reader.
        guard output >= 0, Glibc.write(ends[1], bytes, bytes.count) == bytes.count else {
            let failure = FileError.failed(.fileUnwritable, "write", "a pipe")
            [ends[0], output].filter { $0 >= 0 }.forEach { close($0) }
            throw failure
        }
        return (ends[0], output)
    }

    static func write(_ mark: VolumeMark, toRaw raw: String) throws {
        let file = open(raw, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        defer { if file >= 0 { close(file) } }
        var head = [UInt8](repeating: 0, count: VolumeMark.reach)
        guard file >= 0, pread(file, &head, head.count, 0) == head.count else {
            throw DurableFile.failure("pread", raw)
        }
        guard let bytes = mark.bytes(on: head) else { return }
        guard pwrite(file, bytes, bytes.count, off_t(VolumeMark.offset)) == bytes.count else {
            throw DurableFile.failure("pwrite", raw)
        }
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
}
