import Foundation
import KilnModel
import KilnSystem

/// What becomes of the manifest of an image that is in the store, where one with the same disk is sealed.
enum ManifestWord: Sendable, Hashable {
    /// It stays, and has to say the same of its machines.
    case none
    /// Its tests are replaced: a bake that a person went on with.
    case tests
    /// It is replaced: the recipe says today what the image is.
    case recipe
}

extension ImageStore {
    /// Replaces what is expected of an image: it lies beside the content, whose digest stays the same.
    ///
    /// What passed the tests of before is untested from then on.
    ///
    /// - Throws: `KilnError` with code `file.unwritable` or `image.manifest-damaged`.
    package func replaceTests(of image: StoredImage, by tests: [Check]) async throws -> StoredImage {
        let lock = try await ImageLock.take(.shared, ofStore: root)
        defer { withExtendedLifetime(lock) {} }
        let manifest = image.manifest
        var known = try self.image(manifest.digest, as: manifest.name, version: manifest.version).manifest
        known.tests = tests
        try rewriteManifest(known)
        return try self.image(known.digest, as: known.name, version: known.version)
    }

    /// Makes one of two manifests of the same disk, which boots in the same way.
    ///
    /// - Throws: `KilnError` with code `image.exists` where another name has it with other settings.
    func settle(_ present: ImageManifest, _ new: ImageManifest, _ word: ManifestWord) throws {
        let others = try holders(of: new.digest).filter { $0 != new.title }
        let differences = present.settings(unlike: new)
        guard others.isEmpty || differences.isEmpty else {
            throw try sameDisk(new, with: "another \(differences.joined(separator: ", "))")
        }
        // With several names it is not one recipe's alone; what is expected of it is asked of each of them.
        var known = word == .recipe && others.isEmpty ? new : present
        known.files = present.files
        if word != .none { known.tests = new.tests ?? present.tests }
        // A crash left it without a name: whoever seals it now is the first to say anything.
        if word == .none, try holders(of: new.digest).isEmpty {
            known = new
            known.files = present.files
        }
        guard known != present.named(known.name, version: known.version) else { return }
        try rewriteManifest(known)
    }

    /// Writes what is said of an image that is there, under the name that it was sealed with: where no name leads to it any more,
    /// servers and channels find it by that.
    func rewriteManifest(_ manifest: ImageManifest) throws {
        let sealed = try image(unnamed: manifest.digest).manifest
        try writeManifest(manifest.named(sealed.name, version: sealed.version), in: content(manifest.digest))
    }

    /// One disk can't boot in two ways.
    func otherBoot(of manifest: ImageManifest) throws -> KilnError {
        try sameDisk(manifest, with: "another way to boot")
    }

    private func sameDisk(_ manifest: ImageManifest, with difference: String) throws -> KilnError {
        let holders = try holders(of: manifest.digest)
        let names = holders.isEmpty ? manifest.digest.short : holders.joined(separator: " and ")
        return KilnError(
            .imageExists,
            "the disk of \(manifest.title) is in the store already, as \(names), with \(difference)",
            hint: holders.isEmpty
                ? "no image has that name any more: remove \(content(manifest.digest)), then add it again"
                : "remove it there first: " + holders.map { "'kiln image delete \($0)'" }.joined(separator: ", "),
            exit: .invalidFile
        )
    }

    // By names alone: a manifest that can't be read, of whatever image, is no reason to refuse nothing.
    private func holders(of digest: ImageDigest) throws -> [String] {
        try children(of: root + "/names").compactMap { try? Name($0) }.sorted().flatMap { name in
            try versions(of: name).filter { $0.digest == digest }.map { "\(name):\($0.version)" }
        }
    }
}

extension ImageManifest {
    /// What it says of its machines, and how that is named in a recipe.
    private var settings: [(name: String, value: String)] {
        [
            ("memory", "\(size.memory)"), ("processors", "\(size.processors)"),
            ("cpu", "\(String(describing: size.cpu))"),
            ("cloud-init", cloudInit.rawValue), ("cloud-init-modules", "\(cloudInitModules ?? ["none"])"),
            ("ssh", "\(ssh)"), ("volatile-root", "\(volatileRoot ?? false)"),
            ("flash", "\(flash ?? false)"), ("ephemeral", "\(ephemeral)"),
        ]
    }

    /// The settings in which it differs from another manifest of the same disk.
    func settings(unlike other: ImageManifest) -> [String] {
        zip(settings, other.settings).filter { $0.value != $1.value }.map(\.0.name)
    }
}
