import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// What a user says of an image made elsewhere.
public struct AddedImage: Sendable, Hashable {
    /// How it boots, with the files that a direct boot needs.
    public enum Boot: Sendable, Hashable {
        /// The disk has its own boot loader.
        case firmware(ImageManifest.Firmware)
        /// QEMU loads a kernel and, where there is one, an initrd; both are copied into the store.
        case direct(kernel: String, initrd: String?, commandLine: String)
    }

    /// The name it gets.
    public var name: Name
    /// The version it gets.
    public var version: String
    /// How it boots.
    public var boot: Boot
    /// What reads the seed in the guest.
    public var cloudInit: ImageManifest.CloudInit = .full
    /// Whether the guest runs an SSH server.
    public var ssh = true
    /// What a server has to compute with that says nothing of it.
    public var size = MachineSize(memory: .mebibytes(1024), processors: 2)
    /// Paths that may differ on a running root without being drift.
    public var ephemeral = [
        "/dev", "/proc", "/run", "/sys", "/tmp", "/var/cache", "/var/lib/cloud", "/var/log", "/var/tmp",
    ]

    /// An image of that name and version; the other properties have usual values.
    public init(name: Name, version: String, boot: Boot) {
        self.name = name
        self.version = version
        self.boot = boot
    }
}

extension ImageStore {
    /// Takes a copy of the qcow2 file `file` into the store; `roots` lists its root, where that is a file system without
    /// partitions, so that drift can be measured against it.
    ///
    /// The copy is what gets checked, so nobody can change the file in between: first by Kiln's own header parser, then
    /// by qemu-img.
    ///
    /// - Parameter note: is told what is odd and does no harm.
    /// - Throws: `KilnError` with code `image.exists`, `image.version-invalid`, `image.refused.REASON`,
    ///   `image.check-failed`, `file.unreadable`, `file.not-regular` or `file.unwritable`.
    public func add(
        _ file: String,
        as added: AddedImage,
        roots: any RootInspection,
        note: @Sendable (String) -> Void = { _ in }
    ) async throws -> StoredImage {
        try requireFreeName(added)
        removeAbandonedWork()
        let work = try WorkFolder(in: work)
        let draft = "\(work.path)/draft"
        defer { try? FileManager.default.removeItem(atPath: work.path) }
        try DurableFile.makeDirectory(draft)
        let disk = "\(draft)/\(ImageStore.diskName)"
        try await BlockingWork.run { [sources = try sources(of: added, disk: file)] in
            // Refused early where the header tells; what counts is the look at the copy.
            _ = try QCOW2Header(ofImage: file)
            for (name, source) in sources { try SparseCopy.copy(source, to: "\(draft)/\(name)") }
            _ = try QCOW2Header(ofImage: disk)
        }
        try await check(disk, of: file, note)
        try await list(disk, of: file, in: draft, roots)
        let boot: ImageManifest.Boot =
            switch added.boot {
            case .firmware(let firmware): .firmware(firmware)
            case .direct(_, _, let commandLine): .direct(commandLine: commandLine)
            }
        return try await sealAdded(added, boot: boot, folder: draft)
    }

    private func list(_ disk: String, of file: String, in draft: String, _ roots: any RootInspection) async throws {
        do {
            _ = try await roots.isListed(disk, format: .qcow2, in: draft)
        } catch let error as KilnError where [.diskBomb, .diskFull].contains(error.code) {
            // Whoever added it knows nothing of the copy.
            let message = error.message.replacing(disk, with: file)
            throw KilnError(error.code, message, hint: error.hint, cause: error.cause, exit: error.exit)
        }
    }

    private func sealAdded(_ added: AddedImage, boot: ImageManifest.Boot, folder: String) async throws -> StoredImage {
        try await sealed(
            Draft(
                folder: folder,
                name: added.name,
                version: added.version,
                boot: boot,
                cloudInit: added.cloudInit,
                ssh: added.ssh,
                size: added.size,
                ephemeral: added.ephemeral
            )
        )
    }

    private func sources(of added: AddedImage, disk: String) throws -> [String: String] {
        var sources = [ImageStore.diskName: disk]
        if case .direct(let kernel, let initrd, _) = added.boot {
            sources["kernel"] = kernel
            sources["initrd"] = initrd
        }
        return sources
    }

    private func check(_ disk: String, of file: String, _ note: @Sendable (String) -> Void) async throws {
        let found = try await Command(
            "qemu-img",
            ["check", "-q", "-f", "qcow2", disk],
            deadline: .seconds(1_800),
            limits: .diskImage
        ).result()
        switch found.status {
        case 0: return
        // Clusters that are counted and that nobody uses, as a killed QEMU leaves them.
        case 3: note("\(file) has leaked clusters: they take space and harm no data")
        default:
            throw KilnError(
                .imageCheckFailed,
                "\(file) can't be an image: qemu-img finds it damaged",
                hint: "fetch or convert it again",
                cause: Printable.text(found.errors),
                exit: .invalidFile
            )
        }
    }

    private func requireFreeName(_ added: AddedImage) throws {
        guard ImageReference.acceptsVersion(added.version) else {
            throw KilnError(
                .imageVersionInvalid,
                "\(Name.quoted(added.version)) is not a version: expected up to 40 letters, digits, '.', '_', '+' and '-'",
                hint: "choose a version such as '1' or '2026.05'",
                exit: .usage
            )
        }
        guard try versions(of: added.name).contains(where: { $0.version == added.version }) else { return }
        throw KilnError(
            .imageExists,
            "the store has an image \(added.name):\(added.version) already",
            hint: "choose another version, or remove it with 'kiln image delete \(added.name):\(added.version)'",
            exit: .usage
        )
    }

    /// Removes what killed bakes and additions left behind.
    func removeAbandonedWork() {
        for folder in WorkFolder.abandoned(in: work) { try? FileManager.default.removeItem(atPath: folder) }
    }
}
