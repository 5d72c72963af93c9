import Foundation
import KilnModel
import KilnSystem

extension ImageStore {
    /// Files that are to become an image: `disk.qcow2`, for a direct boot `kernel` and `initrd`, and `paths` where the root could
    /// be listed, in one folder; and what its manifest will say besides.
    package struct Draft: Sendable {
        package let folder: String
        package let name: Name
        package let version: String
        package let boot: ImageManifest.Boot
        /// All firmware that starts its disk, where that was looked for.
        package var firmware: [ImageManifest.Firmware]?
        package let cloudInit: ImageManifest.CloudInit
        package var cloudInitModules: [String]?
        package let ssh: Bool
        package var volatileRoot: Bool?
        package var flash: Bool?
        package let size: MachineSize
        package let ephemeral: [String]
        package var packages: [ImageManifest.Package] = []
        package var tests: [Check]?
        package var recipe: ImageDigest?
        /// What it was made from, and how.
        package var origin: ImageOrigin?

        /// What a recipe says today counts; who adds a disk has no say in what is known of it.
        var word: ManifestWord {
            if recipe != nil { return .recipe }
            return origin != nil ? .tests : .none
        }

        package init(
            folder: String,
            name: Name,
            version: String,
            boot: ImageManifest.Boot,
            cloudInit: ImageManifest.CloudInit,
            ssh: Bool,
            size: MachineSize,
            ephemeral: [String]
        ) {
            self.folder = folder
            self.name = name
            self.version = version
            self.boot = boot
            self.cloudInit = cloudInit
            self.ssh = ssh
            self.size = size
            self.ephemeral = ephemeral
        }
    }

    /// Seals a draft while nobody deletes an image, which may have the same disk.
    ///
    /// - Parameter waiting: is told for whom it waits, when it has to.
    package func sealed(
        _ draft: Draft,
        waiting: @Sendable (KilnError) -> Void = { _ in }
    ) async throws -> StoredImage {
        let lock = try await ImageLock.take(.shared, ofStore: root, waiting: waiting)
        defer { withExtendedLifetime(lock) {} }
        return try await BlockingWork.run { try seal(draft) }
    }

    /// Seals a draft: digests, manifest, mode 0444, everything synchronised; then one rename makes it an image.
    ///
    /// - Throws: `KilnError` with code `image.revoked`, `image.exists`, `image.refused.REASON` or `file.…`.
    package func seal(_ draft: Draft) throws -> StoredImage {
        // A bake takes minutes, in which its parent may be revoked, or an image of which it took files.
        let sources = Array(draft.origin?.parents.prefix(1) ?? []) + (draft.origin?.taken ?? [])
        for source in sources {
            let title = "\(source.name):\(source.version), from which \(draft.name):\(draft.version) is made,"
            try requireNotRevoked(source.digest, as: title)
        }
        var files = try sealedFiles(of: draft)
        guard let disk = files.removeValue(forKey: ImageStore.diskName) else {
            throw FileError.notRegular("\(draft.folder)/\(ImageStore.diskName)")
        }
        let header = try QCOW2Header(ofImage: "\(draft.folder)/\(ImageStore.diskName)")
        return try seal(manifest(of: draft, disk, files, header), from: draft.folder, as: draft.word)
    }

    /// Makes an image of a folder whose files are as the manifest says, sealed and synchronised.
    ///
    /// - Parameter word: what becomes of the manifest of an image with the same disk.
    /// - Throws: `KilnError` as ``seal(_:)``.
    func seal(_ manifest: ImageManifest, from folder: String, as word: ManifestWord) throws -> StoredImage {
        let failpoint = Failpoint()
        try requireNotRevoked(manifest.digest, as: manifest.title)
        try failpoint?.hit("seal.before")
        try place(manifest, from: folder, as: word)
        try failpoint?.hit("seal.placed")
        try giveName(manifest.name, manifest.version, to: manifest.digest)
        try failpoint?.hit("seal.named")
        let image = try image(manifest.digest, as: manifest.name, version: manifest.version)
        try verifyNow(image)
        return image
    }

    private func manifest(
        of draft: Draft,
        _ disk: ImageDigest,
        _ files: [String: ImageDigest],
        _ header: QCOW2Header
    ) -> ImageManifest {
        ImageManifest(
            name: draft.name,
            version: draft.version,
            digest: disk,
            parent: draft.origin?.parents.first?.digest,
            virtualSize: header.virtualSize,
            boot: draft.boot,
            firmware: draft.firmware,
            files: files,
            cloudInit: draft.cloudInit,
            cloudInitModules: draft.cloudInitModules,
            ssh: draft.ssh,
            volatileRoot: draft.volatileRoot,
            flash: draft.flash,
            size: draft.size,
            ephemeral: draft.ephemeral,
            packages: draft.packages,
            tests: draft.tests,
            recipe: draft.recipe,
            origin: draft.origin
        )
    }

    private func sealedFiles(of draft: Draft) throws -> [String: ImageDigest] {
        var possible = [ImageStore.pathsName]
        if case .direct = draft.boot { possible += ["kernel", "initrd"] }
        let names = [ImageStore.diskName] + possible.filter { FileStamp(of: "\(draft.folder)/\($0)") != nil }
        var digests: [String: ImageDigest] = [:]
        for name in names {
            let path = "\(draft.folder)/\(name)"
            digests[name] = try FileDigest.sha256(of: path)
            try sealFile(path)
        }
        return digests
    }

    /// Lets nobody write to a file any more, and makes what is in it durable.
    func sealFile(_ path: String) throws {
        guard chmod(path, 0o444) == 0 else { throw FileError.failed(.fileUnwritable, "seal", path) }
        try DurableFile.synchronize(path)
    }

    private func place(_ manifest: ImageManifest, from folder: String, as word: ManifestWord) throws {
        try writeManifest(manifest, in: folder)
        try DurableFile.synchronize(folder)
        try DurableFile.makeDirectory(root + "/sha256")
        let target = content(manifest.digest)
        if rename(folder, target) != 0 {
            // The same disk is in the store already. It has to boot the same way, or the name would lie.
            guard errno == ENOTEMPTY || errno == EEXIST else {
                throw FileError.failed(.fileUnwritable, "make", target)
            }
            let present = try image(manifest.digest, as: manifest.name, version: manifest.version).manifest
            guard present.boot == manifest.boot, present.bootFiles == manifest.bootFiles else {
                throw try otherBoot(of: manifest)
            }
            try settle(present, manifest, word)
        }
        try DurableFile.synchronize(root + "/sha256")
    }

    /// Gives an image that was sealed without it the listing of its root, a file named `paths` in `folder`, which lies in the
    /// store's file system.
    ///
    /// The content, and so the digest, is the same as before.
    ///
    /// - Throws: `KilnError` as ``verify(_:)``, and with code `file.unwritable`.
    package func addListing(in folder: String, to image: StoredImage) throws -> StoredImage {
        let name = ImageStore.pathsName
        let (draft, target) = ("\(folder)/\(name)", content(image.manifest.digest))
        let manifest = image.manifest.adding(name, try FileDigest.sha256(of: draft))
        try sealFile(draft)
        // The manifest goes last: until it names the file, nobody looks at it.
        try DurableFile.rename(draft, to: "\(target)/\(name)")
        try rewriteManifest(manifest)
        let listed = try self.image(manifest.digest, as: manifest.name, version: manifest.version)
        try verifyNow(listed)
        return listed
    }

    func writeManifest(_ manifest: ImageManifest, in folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let path = "\(folder)/\(ImageStore.manifestName)"
        try DurableFile.write(try encoder.encode(manifest), to: path, mode: 0o444)
        guard chmod(path, 0o444) == 0 else { throw FileError.failed(.fileUnwritable, "seal", path) }
    }

    private func giveName(_ name: Name, _ version: String, to digest: ImageDigest) throws {
        try DurableFile.makeDirectory(names(name))
        try DurableFile.write(Data("\(digest)\n".utf8), to: "\(names(name))/\(version)")
    }
}

extension ImageManifest {
    /// The files that decide how a machine boots.
    fileprivate var bootFiles: [String: ImageDigest] { files.filter { $0.key != ImageStore.pathsName } }
}
