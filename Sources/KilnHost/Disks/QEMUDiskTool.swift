import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// Makes disks with qemu-img, and file systems on them with the tool of each.
///
/// Every file is made in a private directory beside its place, written back, and renamed into place as the last act.
public struct QEMUDiskTool: DiskTool {
    let owner: MachineOwner?
    /// How an export gets its name, where the file system lets it.
    let newNames: [NewName]

    /// A tool that gives files to `owner`; to nobody where machines run as the user who runs Kiln.
    public init(owner: MachineOwner?) { self.init(owner: owner, newNames: NewName.allCases) }

    init(owner: MachineOwner?, newNames: [NewName]) {
        self.owner = owner
        self.newNames = newNames
    }

    /// Makes an empty qcow2 layer.
    ///
    /// The size is read from the header of `backing` by this process: qemu-img opens nothing but the new file.
    ///
    /// - Throws: `disk.exists`, `disk.refused`, `disk.full`, `tool.missing`, `tool.failed`.
    public func createLayer(at path: String, over backing: String, size: ByteCount?) async throws {
        let directory = DurableFile.directory(of: path)
        let below = backing.hasPrefix("/") ? backing : directory + "/" + backing
        let lower = try QCOW2Header(of: below).virtualSize
        let size = max(size ?? lower, lower)
        try await create(path) { draft, _ in
            let arguments = ["create", "-q", "-f", "qcow2", "-u", "-b", backing, "-F", "qcow2", "--", draft]
            // Without limits: with -u it opens nothing that is there already.
            let command = Command("qemu-img", arguments + [String(size.bytes)], deadline: .seconds(60))
            try await command.run(writing: draft)
        }
    }

    /// Makes a volume: a qcow2 file with an empty file system whose root directory belongs to the guest's root.
    ///
    /// - Throws: `disk.exists`, `disk.full`, `tool.missing`, `tool.failed`.
    public func createVolume(
        at path: String,
        size: ByteCount,
        fileSystem: VolumeSpec.FileSystem,
        label: String,
        mark: VolumeMark
    ) async throws {
        try await create(path) { draft, directory in
            let raw = directory + "/raw"
            try makeSparse(raw, size)
            try await format(raw, fileSystem, label)
            try QEMUDiskTool.write(mark, toRaw: raw)
            try await qemuImg(["convert", "-q", "-f", "raw", "-O", "qcow2", "--", raw, draft], writing: draft)
        }
    }

    /// Merges a layer into the file below it; the layer itself stays as it is.
    ///
    /// - Throws: `disk.full`, `tool.missing`, `tool.failed` (also where another process holds one of the two).
    public func merge(_ layer: String) async throws {
        try await explainingFullDisk(at: layer) {
            try await qemuImg(["commit", "-q", "-f", "qcow2", "-d", "--", layer], writing: layer)
        }
    }

    /// Writes a layer and what lies below it to a file of its own; nobody may have the layer open.
    ///
    /// - Throws: `disk.refused`, `disk.exists`, `disk.full`, `tool.missing`, `tool.failed`.
    public func flatten(_ layer: String, over backing: String, to file: String) async throws {
        _ = try examineLayer(layer, over: backing)
        try await create(file) { draft, _ in
            try await qemuImg(
                [
                    "convert", "-q", "-f", "qcow2", "-O", "qcow2", "-o", "compat=1.1,cluster_size=65536", "--", layer,
                    draft,
                ],
                writing: draft
            )
        }
    }

    /// Makes the machines' user the owner of the file.
    ///
    /// Nothing happens where machines run as the user who runs Kiln.
    public func giveToMachines(_ path: String) throws {
        try owner?.give(path)
    }

    private func create(_ path: String, _ make: (_ draft: String, _ directory: String) async throws -> Void)
        async throws
    {
        try refuseExisting(path)
        try await explainingFullDisk(at: path) {
            try await DurableFile.withPrivateDirectory(beside: path) { directory in
                let draft = directory + "/disk"
                try await make(draft, directory)
                chmod(draft, 0o600)
                try DurableFile.publish(draft, as: path)
            }
        }
    }

    func qemuImg(_ arguments: [String], writing path: String) async throws {
        let command = Command("qemu-img", arguments, deadline: .seconds(1_800), limits: .diskImage)
        try await command.run(writing: path)
    }

    private func format(_ raw: String, _ fileSystem: VolumeSpec.FileSystem, _ label: String) async throws {
        // As the user who runs Kiln: what it reads is empty.
        try await fileSystem.tool(as: nil).make(on: raw, label: label)
    }

    private func makeSparse(_ path: String, _ size: ByteCount) throws {
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0, let length = Int(exactly: size.bytes) else {
            throw KilnError(.diskNotMade, "\(path) can't be made", cause: String(cString: strerror(errno)))
        }
        defer { close(file) }
        guard ftruncate(file, length) == 0 else {
            throw KilnError(
                .diskNotMade,
                "a disk of \(size) can't be made at \(path)",
                hint: "state a smaller size",
                cause: String(cString: strerror(errno)),
                exit: .aborted
            )
        }
    }
}
