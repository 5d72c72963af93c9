import Foundation
import KilnEngine
import KilnModel

/// Disk files as small texts: a first line that names the file below and the size, then one line per write.
///
/// A line `damage` damages the file system, until a line `repair`; a line `newer` gives it a feature that nobody knows.
public final class FakeDisks: DiskTool {
    private let faults: Faults

    init(_ faults: Faults) { self.faults = faults }

    /// Writes a layer on top of another.
    public func createLayer(at path: String, over backing: String, size: ByteCount?) async throws {
        try faults.call("createLayer") {
            let directory = (path as NSString).deletingLastPathComponent
            let lower = try FakeDisks.size(backing.hasPrefix("/") ? backing : "\(directory)/\(backing)")
            let size = max(size.map { UInt64($0.bytes) } ?? lower, lower)
            try FakeDisks.make(path, "over \(backing)\t\(size)\n")
        }
    }

    /// Writes the lowest layer of a volume.
    public func createVolume(
        at path: String,
        size: ByteCount,
        fileSystem: VolumeSpec.FileSystem,
        label: String,
        mark: VolumeMark
    ) async throws {
        try faults.call("createVolume") {
            try FakeDisks.make(path, "base \(label)\t\(size.bytes)\n\(FakeDisks.line(mark))\n")
        }
    }

    /// The mark that was written last, unless a line `format` came later.
    public func mark(of disk: String) async throws -> VolumeMark.Finding {
        try faults.call("mark") {
            let lines = try FakeDisks.allLines(disk)
            guard let last = lines.last(where: { $0 == FakeDisks.format || $0.hasPrefix(FakeDisks.markWord) }) else {
                return .none
            }
            if last == FakeDisks.newerMark { return .newer(2) }
            guard let id = UUID(uuidString: String(last.dropFirst(FakeDisks.markWord.count)))
            else { return .none }
            return .mark(VolumeMark(id))
        }
    }

    /// Writes a line; nothing where a guest has made something that can't have a mark.
    public func setMark(_ mark: VolumeMark, of layer: String) async throws -> Bool {
        try faults.call("setMark") {
            guard try !FakeDisks.allLines(layer).contains(FakeDisks.foreign) else { return false }
            guard FakeDisks.append(FakeDisks.line(mark), to: layer) else {
                throw KilnError("disk.failed", "\(layer) can't be written")
            }
            return true
        }
    }

    /// The line of a file system that is no ext4.
    public static let foreign = "xfs"
    /// The line by which a guest formats a volume.
    public static let format = "format"
    /// The line of a mark that only a later version knows.
    public static let newerMark = "mark of a later version"
    private static let markWord = "mark "

    private static func line(_ mark: VolumeMark) -> String { markWord + mark.id.uuidString }

    /// Moves the writes of a layer into the file below, which must be writable.
    public func merge(_ layer: String) async throws {
        try faults.call("merge") {
            let backing = try FakeDisks.backing(of: layer)
            guard let below = backing, FakeDisks.isWritable(below) else {
                throw KilnError("disk.failed", "nothing writable below \(layer)")
            }
            for line in try FakeDisks.lines(layer).dropFirst() { _ = FakeDisks.append(line, to: below) }
            try FakeDisks.make(layer, try FakeDisks.lines(layer)[0] + "\n")
        }
    }

    /// Writes a disk as a real one begins, which holds the lines of the layer and of what lies below.
    public func flatten(_ layer: String, over backing: String, to file: String) async throws {
        try faults.call("flatten") {
            guard try FakeDisks.backing(of: layer) == backing else { throw KilnError(.diskRefused, layer) }
            let lines = try FakeDisks.allLines(layer).joined(separator: "\n")
            try Data(CraftedDisk(holding: Array(lines.utf8) + [0]).bytes).write(to: URL(fileURLWithPath: file))
        }
    }

    /// Changes nothing.
    public func giveToMachines(_ path: String) throws { try faults.call("giveToMachines") {} }

    /// Compares the first line with what is expected.
    public func examineLayer(_ path: String, over backing: String?) throws -> ByteCount {
        try faults.call("examineLayer") {
            var status = stat()
            let first = (try? FakeDisks.lines(path))?.first ?? ""
            let found =
                first.hasPrefix("over ") ? first.dropFirst(5).split(separator: "\t").first.map(String.init) : nil
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, found == backing,
                backing != nil || first.hasPrefix("base ")
            else { throw KilnError(.diskRefused, "\(path) is not over \(backing ?? "nothing")") }
            return ByteCount(bytes: try FakeDisks.size(path))
        }
    }

    /// Looks for a line `damage` without a later `repair`, and for a line `newer`.
    public func checkFileSystem(_ kind: VolumeSpec.FileSystem, of disk: String) async throws -> FileSystemFinding {
        try faults.call("checkFileSystem") {
            let lines = try FakeDisks.written(disk)
            if lines.contains("newer") { return .newer(features: ["FEATURE_C15"], than: "a tool 1.0") }
            let last = lines.last { $0 == "damage" || $0 == "repair" }
            return last == "damage" ? .damaged(["a line says so"]) : .clean
        }
    }

    /// Writes a layer with the line `repair`.
    public func repairFileSystem(
        _ kind: VolumeSpec.FileSystem,
        of disk: String,
        into layer: String
    ) async throws {
        try faults.call("repairFileSystem") {
            let name = (disk as NSString).lastPathComponent
            try FakeDisks.make(layer, "over \(name)\t\(try FakeDisks.size(disk))\nrepair\n")
        }
    }

    /// Writes a larger layer.
    public func growFileSystem(
        _ kind: VolumeSpec.FileSystem,
        of disk: String,
        to size: ByteCount,
        into layer: String
    ) async throws {
        try faults.call("growFileSystem") {
            try FakeDisks.make(layer, "over \((disk as NSString).lastPathComponent)\t\(size.bytes)\n")
        }
    }

    /// Writes all lines to one file.
    public func exportDisk(_ disk: String, to file: String, as format: DiskFormat) async throws {
        try faults.call("exportDisk") {
            let lines = try FakeDisks.written(disk).map { $0 + "\n" }.joined()
            try FakeDisks.make(file, "base export\t\(try FakeDisks.size(disk))\n" + lines)
        }
    }

    /// The label and the UUID of every file system that is imported.
    public static let imported = (label: "cloudimg-rootfs", identity: UUID())

    /// Copies a file that an export wrote.
    public func importDisk(
        _ file: String,
        to layer: String,
        label: String,
        mark: VolumeMark
    ) async throws -> ForeignVolume {
        try faults.call("importDisk") {
            let content = try String(contentsOfFile: file, encoding: .utf8)
            try FakeDisks.make(layer, content + FakeDisks.line(mark) + "\n")
            return ForeignVolume(
                size: ByteCount(bytes: try FakeDisks.size(layer)),
                label: FakeDisks.imported.label,
                identity: FakeDisks.imported.identity
            )
        }
    }

    /// Makes a file as an image's disk is.
    static func makeImage(_ path: String, _ content: String) throws { try make(path, "base \(content)\t67108864\n") }

    /// All lines that are to be read on a disk, oldest first, through its chain; a format leaves none.
    public static func written(_ path: String) throws -> [String] {
        let all = try allLines(path)
        let begin = all.lastIndex(of: format).map { $0 + 1 } ?? 0
        return all[begin...].filter { !$0.hasPrefix(markWord) }
    }

    static func allLines(_ path: String) throws -> [String] {
        let below = try backing(of: path).map { try allLines($0) } ?? []
        return below + (try lines(path).dropFirst())
    }

    /// What is wrong with a disk: its chain differs from what was said, or it can't be written to.
    static func problem(_ disk: MachineSpec.Disk) -> String? {
        var chain: [String] = []
        var path = disk.path
        while chain.count < 100, let below = try? backing(of: path) {
            chain.append(below)
            path = below
        }
        if (try? lines(path).first?.hasPrefix("base")) != true { return "\(path) is missing or has no base" }
        if chain != disk.backing { return "\(disk.path) is on \(chain), but was said to be on \(disk.backing)" }
        return isWritable(disk.path) ? nil : "\(disk.path) is sealed"
    }

    static func append(_ line: String, to path: String) -> Bool {
        guard let file = fopen(path, "r+") else { return false }
        defer { fclose(file) }
        fseek(file, 0, SEEK_END)
        return fputs(line + "\n", file) >= 0
    }

    private static func backing(of path: String) throws -> String? {
        guard let first = try lines(path).first, first.hasPrefix("over ") else { return nil }
        let name = first.dropFirst(5).split(separator: "\t").first.map(String.init) ?? ""
        return name.hasPrefix("/") ? name : (path as NSString).deletingLastPathComponent + "/" + name
    }

    static func size(_ path: String) throws -> UInt64 {
        try lines(path).first?.split(separator: "\t").last.flatMap { UInt64($0) } ?? 0
    }

    private static func lines(_ path: String) throws -> [String] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    // The mode and not what this process may do: tests often run as root, machines never do.
    private static func isWritable(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & 0o200 != 0
    }

    private static func make(_ path: String, _ content: String) throws {
        try Data(content.utf8).write(to: URL(fileURLWithPath: path))
    }
}
