import Foundation
import KilnEngine
import KilnModel

/// Disk files as small texts: a first line that names the file below, then one line per write.
public final class FakeDisks: DiskTool {
    private let faults: Faults

    init(_ faults: Faults) { self.faults = faults }

    /// Writes a layer on top of another.
    public func createLayer(at path: String, over backing: String) async throws {
        try faults.call("createLayer") { try FakeDisks.make(path, "over \(backing)\n") }
    }

    /// Writes the lowest layer of a volume.
    public func createVolume(
        at path: String,
        size: ByteCount,
        fileSystem: VolumeSpec.FileSystem,
        label: String
    ) async throws {
        try faults.call("createVolume") { try FakeDisks.make(path, "base \(label)\n") }
    }

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

    /// Changes nothing.
    public func giveToMachines(_ path: String) throws { try faults.call("giveToMachines") {} }

    /// Makes a file as an image's disk is.
    static func makeImage(_ path: String, _ content: String) throws { try make(path, "base \(content)\n") }

    /// All lines that were written to a disk, oldest first, read through its chain.
    public static func written(_ path: String) throws -> [String] {
        let below = try backing(of: path).map { try written($0) } ?? []
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
        let name = String(first.dropFirst(5))
        return name.hasPrefix("/") ? name : (path as NSString).deletingLastPathComponent + "/" + name
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
