import KilnModel

/// What the store knew of all its images at one moment.
public struct ImageCatalog: Sendable {
    /// The images by name, then by version, oldest first; one with several names appears under each.
    public let images: [StoredImage]
    /// Images that no name leads to any more: their version was baked again.
    public let unnamed: [StoredImage]
    /// The channels, by image and name.
    public let channels: [Channel]
    /// The tombstones, also of images that are gone.
    public let revocations: [ImageDigest: Revocation]
    /// What the last tests say of each.
    let verdicts: [ImageDigest: TestVerdict]

    /// What is said of an image.
    public func standing(of image: ImageManifest) -> ImageStanding {
        ImageStanding(
            verdict: verdicts[image.digest] ?? .untested,
            revocation: revocations[image.digest],
            revokedAncestor: ancestors(of: image).first { revocations[$0] != nil },
            channels: channels.filter { $0.image == image.name && $0.current?.digest == image.digest }.map(\.name)
        )
    }

    /// What an image is called, as `NAME:VERSION`; of one without a name, what it was called.
    public func titles(of image: ImageDigest) -> [String] {
        let named = images.filter { $0.manifest.digest == image }
        return (named.isEmpty ? unnamed.filter { $0.manifest.digest == image } : named).map(\.manifest.title)
    }

    /// The images that an image descends from, the nearest first, as far as it is known.
    public func ancestors(of image: ImageManifest) -> [ImageDigest] {
        var found = image.ancestors
        // What an image says goes on with what those say that it names, where they are in the store. What a manifest says may
        // be anything, so nothing is taken twice.
        var index = 0
        while index < found.count, found.count < ImageCatalog.longestChain {
            found += manifest(found[index])?.ancestors.filter { !found.contains($0) } ?? []
            index += 1
        }
        return found
    }

    /// The images that were made from an image directly, or with files of it, each once.
    public func children(of image: ImageDigest) -> [ImageManifest] {
        distinct.filter { ($0.ancestors.first == image || $0.taken.contains(image)) && $0.digest != image }
    }

    /// The images that descend from an image, each once.
    public func descendants(of image: ImageDigest) -> [ImageDigest] {
        distinct.filter { $0.digest != image && ancestors(of: $0).contains(image) }.map(\.digest)
    }

    /// The manifest of an image that is there.
    public func manifest(_ image: ImageDigest) -> ImageManifest? { distinct.first { $0.digest == image } }

    private static let longestChain = 1_000

    /// Every image once, under the first of its names.
    var distinct: [ImageManifest] {
        var seen: Set<ImageDigest> = []
        return (images + unnamed).map(\.manifest).filter { seen.insert($0.digest).inserted }
    }
}

/// What is said of an image.
public struct ImageStanding: Sendable, Hashable {
    /// What its last tests say.
    public let verdict: TestVerdict
    /// Why it is revoked, if it is.
    public let revocation: Revocation?
    /// The nearest of the images that it descends from which is revoked.
    public let revokedAncestor: ImageDigest?
    /// The channels of its name that point to it.
    public let channels: [Name]

    /// In a word: `revoked`, `parent-revoked`, `tested`, `flaky`, `failed` or `untested`.
    public var word: String {
        if revocation != nil { return "revoked" }
        if revokedAncestor != nil { return "parent-revoked" }
        return verdict == .passed ? "tested" : verdict.rawValue
    }
}
