import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// Work on private copies: a volume's disk itself is never what a tool writes to.
extension QEMUDiskTool {
    /// Gives `body` a private raw copy of a disk, which is the machines' user's, and the directory that it lies in, which is
    /// not: what else is made there is nobody's to lead elsewhere.
    func onCopy<Result>(
        of disk: String,
        beside path: String,
        format: DiskFormat = .qcow2,
        _ body: (_ raw: String, _ directory: String) async throws -> Result
    ) async throws -> Result {
        try await explainingFullDisk(at: path) {
            try await DurableFile.withPrivateDirectory(beside: path) { directory in
                let raw = directory + "/raw"
                try await qemuImg(["convert", "-q", "-f", format.rawValue, "-O", "raw", "--", disk, raw], writing: raw)
                chmod(raw, 0o600)
                try giveToMachines(raw)
                try owner?.letThrough(directory)
                return try await body(raw, directory)
            }
        }
    }

    /// Makes a layer over a disk from what `edit` changes on a private copy of it.
    ///
    /// What there is gets copied once, and read twice; what there is not takes no time, however large the disk is.
    ///
    /// - Parameter edit: returns the new size, or nothing where that stays.
    func edited(
        _ disk: String,
        into layer: String,
        _ edit: (_ raw: String) async throws -> ByteCount?
    ) async throws {
        try refuseExisting(layer)
        try await onCopy(of: disk, beside: layer) { raw, directory in
            let before = try await BlockingWork.run { Swift.Result { try RawContent(of: raw) } }.get()
            let size = try await edit(raw) ?? QCOW2Header(of: disk).virtualSize
            let changes = directory + "/changes"
            let emptied = try await BlockingWork.run {
                Swift.Result { try before.writeChanges(of: raw, size: size, to: changes) }
            }.get()
            let draft = directory + "/disk"
            // Holes and zeros become clusters that are not there, which is right for what did not change…
            try await qemuImg(["convert", "-q", "-f", "raw", "-O", "qcow2", "--", changes, draft], writing: draft)
            // …and said to be zeros where something else was.
            try await writeZeros(emptied, to: draft)
            let name = (disk as NSString).lastPathComponent
            try await qemuImg(
                ["rebase", "-q", "-u", "-f", "qcow2", "-b", name, "-F", "qcow2", "--", draft],
                writing: draft
            )
            chmod(draft, 0o600)
            try DurableFile.publish(draft, as: layer)
        }
    }

    private func writeZeros(_ ranges: [Range<UInt64>], to disk: String) async throws {
        // So many that no list of arguments gets too long.
        for start in stride(from: 0, to: ranges.count, by: 500) {
            let commands = ranges[start..<min(start + 500, ranges.count)].flatMap {
                ["-c", "write -q -z \($0.lowerBound) \($0.upperBound - $0.lowerBound)"]
            }
            let command = Command("qemu-io", ["-f", "qcow2"] + commands + [disk], deadline: .seconds(600))
            try await command.run(writing: disk)
        }
    }
}
