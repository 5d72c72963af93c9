import Foundation
import KilnModel
import KilnSystem

/// A file that was packed by a program, told by its first bytes and not by its name.
struct PackedFile: Sendable {
    /// A program that unpacks what comes to its standard input.
    private struct Tool: Sendable {
        let name: String
        let mark: [UInt8]
        var arguments = ["-dc"]
    }

    private static let tools = [
        Tool(name: "gzip", mark: [0x1f, 0x8b]),
        Tool(name: "xz", mark: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
        Tool(name: "zstd", mark: [0x28, 0xb5, 0x2f, 0xfd], arguments: ["-dcq", "--sparse"]),
    ]

    /// A smaller disk fits anywhere, however well it is packed.
    private static let harmless: UInt64 = 1 << 30
    /// Real disks are packed to a tenth, and one of mostly nothing to a fiftieth.
    private static let densest: UInt64 = 100

    private let path: String
    private let tool: Tool
    private let size: UInt64

    /// The file at `path`; nothing where it is not packed by a known program.
    ///
    /// - Throws: `KilnError` with code `file.unreadable` or `file.not-regular`.
    init?(_ path: String) throws {
        let start = try HeaderBytes(try OpenFile(reading: path))
        guard let tool = PackedFile.tools.first(where: { start.bytes.starts(with: $0.mark) }) else { return nil }
        self.path = path
        self.tool = tool
        size = start.size
    }

    /// The program that unpacks it.
    var program: String { tool.name }

    /// Unpacks it to a new file.
    ///
    /// The kernel ends the program where more comes out than a disk of that size can hold.
    ///
    /// - Throws: `KilnError` with code `disk.bomb`, `disk.full`, `image.not-unpacked`, `file.…` or `tool.…`.
    func unpack(to target: String) async throws {
        let input = try OpenFile(reading: path)
        let output = try OpenFile(creating: target, mode: 0o600)
        let largest = QCOW2Header.largest.bytes
        let most = min(max(PackedFile.harmless, min(size, largest) * PackedFile.densest), largest)
        let limits = Command.Limits(
            processorSeconds: 7_200,
            addressSpace: .mebibytes(4096),
            fileSize: ByteCount(bytes: most)
        )
        var command = Command(tool.name, tool.arguments, deadline: .seconds(14_400), limits: limits)
        command.endsWithParent = true
        let found = try await command.result(reading: input.descriptor, writing: output.descriptor)
        guard found.status != 0 else { return }
        let hasSpace = FreeSpace(at: DurableFile.directory(of: target)).map { !$0.isScarce } ?? true
        throw failure(found, came: UInt64(try output.size), most: most, hasSpace: hasSpace)
    }

    private func failure(_ found: Command.Output, came: UInt64, most: UInt64, hasSpace: Bool) -> KilnError {
        let says = Printable.text(found.errors)
        // Who leaves holes for zeros is ended behind a hole, which does not count before something follows it.
        let isEnded = found.status == 128 + SIGXFSZ || says.contains("File too large")
        guard came < most, !isEnded else {
            return KilnError(
                .diskBomb,
                "\(path) is not unpacked: it takes \(ByteCount(bytes: size).rounded), and more than "
                    + "\(ByteCount(bytes: most).rounded) would come out of it",
                hint: "no disk is packed so densely; if this one is, unpack it yourself and name the unpacked file",
                exit: .invalidFile
            )
        }
        guard hasSpace else {
            return KilnError(
                .diskFull,
                "there is no space to unpack \(path): \(ByteCount(bytes: came).rounded) came out of it until now",
                hint: "free some space, for example with 'kiln gc', and run the command again",
                cause: says,
                exit: .aborted
            )
        }
        return KilnError(
            .imageNotUnpacked,
            "\(path) can't be unpacked: \(tool.name) ended with exit status \(found.status)",
            hint: "it is damaged or cut off: fetch it again",
            cause: says.isEmpty ? nil : says,
            exit: .invalidFile
        )
    }
}
