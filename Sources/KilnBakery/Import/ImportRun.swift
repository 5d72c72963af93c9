import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// The making of an image of a file that is there and is the right one.
struct ImportRun: Sendable {
    let store: ImageStore
    let source: DiskSource
    let added: AddedImage
    let roots: any RootInspection
    let folder: String
    let note: @Sendable (String) -> Void

    private var draft: String { folder + "/draft" }
    private var content: String { folder + "/content" }
    private var disk: String { "\(draft)/\(ImageStore.diskName)" }

    /// Unpacks it, makes the disk, finds out what starts it, lists its root, and seals all.
    func sealed(_ file: TakenFile) async throws -> StoredImage {
        try DurableFile.makeDirectory(draft)
        do {
            let made = try await ImportedDisk(of: try await unpacked(file), at: disk, in: folder) {
                [source, disk] text in
                note(text.replacing(disk, with: source.place.description))
            }
            try Failpoint()?.hit("add.made")
            let (boot, firmware) = try await boot(made)
            try await copyBootFiles()
            _ = try await roots.isListed(disk, format: .qcow2, in: draft)
            return try await seal(boot, firmware)
        } catch let error as KilnError {
            throw named(error, file)
        }
    }

    private func unpacked(_ file: TakenFile) async throws -> TakenFile {
        guard let packed = try PackedFile(file.path) else { return file }
        note("unpacking \(source.place) with \(packed.program)")
        try await packed.unpack(to: content)
        return TakenFile(content, isOwn: true)
    }

    private func copyBootFiles() async throws {
        guard case .direct(let kernel, let initrd, _) = added.boot else { return }
        try await BlockingWork.run { [draft] in
            try SparseCopy.copy(kernel, to: "\(draft)/kernel")
            if let initrd { try SparseCopy.copy(initrd, to: "\(draft)/initrd") }
        }
    }

    private func seal(_ boot: ImageManifest.Boot, _ firmware: [ImageManifest.Firmware]?) async throws -> StoredImage {
        var draft = ImageStore.Draft(
            folder: draft,
            name: added.name,
            version: added.version,
            boot: boot,
            cloudInit: added.cloudInit,
            ssh: added.ssh,
            size: added.size,
            ephemeral: added.ephemeral
        )
        draft.cloudInitModules = added.cloudInitModules
        draft.recipe = added.recipe
        draft.firmware = firmware
        return try await store.sealed(draft) { [note] held in note("waiting: \(held.message)") }
    }

    /// Whoever adds a file knows nothing of the copies.
    private func named(_ error: KilnError, _ file: TakenFile) -> KilnError {
        let name = source.place.description
        func plain(_ text: String) -> String {
            [disk, file.path].reduce(text.replacing(content, with: "what is packed in \(name)")) {
                $0.replacing($1, with: name)
            }
        }
        return KilnError(
            error.code,
            plain(error.message),
            hint: error.hint.map(plain),
            cause: error.cause.map(plain),
            exit: error.exit
        )
    }

    // MARK: - Firmware

    /// How it is booted, and all firmware that could.
    private func boot(_ made: ImportedDisk) async throws -> (ImageManifest.Boot, [ImageManifest.Firmware]?) {
        switch added.boot {
        case .direct(_, _, let commandLine): return (.direct(commandLine: commandLine), nil)
        case .firmware(let wanted):
            let signs = try await BootSigns(of: made)
            return (.firmware(try chosen(wanted, signs)), signs.firmware)
        }
    }

    private func chosen(_ wanted: ImageManifest.Firmware?, _ signs: BootSigns) throws -> ImageManifest.Firmware {
        guard let first = signs.firmware.first else { return try unfound(wanted, signs) }
        if let wanted {
            guard signs.firmware.contains(wanted) else { throw wrongFirmware(wanted, first, signs) }
            return wanted
        }
        let other = signs.firmware.dropFirst().map { ", and by \($0.rawValue) where --firmware says so" }.joined()
        note("\(added.name):\(added.version) is started by \(first.rawValue)\(other): \(signs.description)")
        return first
    }

    // A loader that Kiln does not know may lie anywhere; one of another architecture never starts here.
    private func unfound(_ wanted: ImageManifest.Firmware?, _ signs: BootSigns) throws -> ImageManifest.Firmware {
        guard !signs.hasForeignLoader else { throw noFirmware(signs) }
        let taken = wanted ?? .bios
        note(
            "\(added.name):\(added.version) may not start: nothing was found that a firmware starts: \(signs.description); "
                + "\(taken.rawValue) is tried"
        )
        return taken
    }

    private func noFirmware(_ signs: BootSigns) -> KilnError {
        KilnError(
            .imageNoFirmware,
            "\(source.place) can't be started: expected boot code in sector 0 for a BIOS, or an EFI system partition with "
                + "EFI/BOOT/BOOTX64.EFI; found \(signs.description)",
            hint: "name the disk of a whole system for x86-64, not one of a file system or of another architecture",
            exit: .invalidFile
        )
    }

    private func wrongFirmware(
        _ wanted: ImageManifest.Firmware,
        _ right: ImageManifest.Firmware,
        _ signs: BootSigns
    ) -> KilnError {
        KilnError(
            .imageWrongFirmware,
            "\(source.place) can't be started by \(wanted.rawValue): found \(signs.description)",
            hint: "leave --firmware out: it is started by \(right.rawValue)",
            exit: .invalidFile
        )
    }
}
