import KilnModel

extension SPDXDocument {
    /// The bill of an image: the image, the packages in it, and the source packages that these were built from.
    ///
    /// The same for the same image, whoever asks and whenever: its time is the beginning of 1970.
    public init(of image: ImageManifest) {
        let binaries = image.packages.enumerated().map { ($1, Package(binary: $1, number: $0 + 1)) }
        let sources = Set(image.packages.compactMap(Source.init)).sorted().enumerated()
            .map { ($1, Package(source: $1, number: $0 + 1)) }
        let ids = Dictionary(uniqueKeysWithValues: sources.map { ($0, $1.id) })
        let system = Package(system: image)
        let generated = binaries.compactMap { binary, package in
            Source(binary).flatMap { ids[$0] }.map { Relationship($0, .generates, package.id) }
        }
        spdxVersion = "SPDX-2.3"
        dataLicense = "CC0-1.0"
        id = "SPDXRef-DOCUMENT"
        name = "\(image.name)-\(image.version)"
        documentNamespace = "https://spdx.org/spdxdocs/kiln-image-\(image.digest.hex)"
        creationInfo = CreationInfo(created: "1970-01-01T00:00:00Z", creators: ["Tool: kiln"])
        packages = [system] + binaries.map(\.1) + sources.map(\.1)
        relationships =
            [Relationship(id, .describes, system.id)]
            + binaries.map { Relationship(system.id, .contains, $0.1.id) } + generated
    }
}

/// A source package.
private struct Source: Hashable, Comparable {
    let name: String
    let version: String

    init?(_ package: ImageManifest.Package) {
        guard let source = package.source else { return nil }
        name = source
        version = package.sourceVersion ?? package.version
    }

    static func < (left: Source, right: Source) -> Bool { (left.name, left.version) < (right.name, right.version) }
}

extension SPDXDocument.Package {
    fileprivate init(system image: ImageManifest) {
        self.init(
            id: "SPDXRef-Image",
            name: image.name.text,
            version: image.version,
            purpose: .operatingSystem,
            checksums: [SPDXDocument.Checksum(algorithm: "SHA256", checksumValue: image.digest.hex)]
        )
    }

    fileprivate init(binary package: ImageManifest.Package, number: Int) {
        self.init(
            id: SPDXDocument.id("Package", number, package.name),
            name: package.name,
            version: package.version,
            locator: PackageURL(package.name, package.version, architecture: package.architecture)
        )
    }

    fileprivate init(source: Source, number: Int) {
        self.init(
            id: SPDXDocument.id("Source", number, source.name),
            name: source.name,
            version: source.version,
            purpose: .source,
            locator: PackageURL(source.name, source.version, architecture: "source")
        )
    }

    private init(
        id: String,
        name: String,
        version: String,
        purpose: SPDXDocument.Purpose? = nil,
        checksums: [SPDXDocument.Checksum]? = nil,
        locator: PackageURL? = nil
    ) {
        self.init(
            id: id,
            name: name,
            versionInfo: version,
            downloadLocation: "NOASSERTION",
            filesAnalyzed: false,
            primaryPackagePurpose: purpose,
            checksums: checksums,
            externalRefs: locator.map {
                [
                    SPDXDocument.ExternalReference(
                        referenceCategory: "PACKAGE-MANAGER",
                        referenceType: "purl",
                        referenceLocator: $0.text
                    )
                ]
            }
        )
    }
}

extension SPDXDocument {
    // The number makes it unique; only these characters may be in it.
    fileprivate static func id(_ kind: String, _ number: Int, _ name: String) -> String {
        let word = name.unicodeScalars.map { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == ".")
                ? Character(scalar) : "-"
        }
        return "SPDXRef-\(kind)-\(number)-\(String(word))"
    }
}

extension SPDXDocument.Relationship {
    fileprivate init(_ one: String, _ kind: Kind, _ other: String) {
        self.init(spdxElementId: one, relationshipType: kind, relatedSpdxElement: other)
    }
}

/// A Debian package as package URLs name it.
///
/// https://github.com/package-url/purl-spec
struct PackageURL {
    /// `pkg:deb/debian/NAME@VERSION?arch=ARCHITECTURE`.
    let text: String

    init(_ name: String, _ version: String, architecture: String?) {
        // dpkg's list of names has the architecture behind it where two of one name are there.
        let bare = name.split(separator: ":").first.map(String.init) ?? name
        let qualifier = architecture.map { "?arch=\(PackageURL.escaped($0))" } ?? ""
        text = "pkg:deb/debian/\(PackageURL.escaped(bare))@\(PackageURL.escaped(version))\(qualifier)"
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || ".-_~:".utf8.contains(byte)
            if isPlain { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count < 2 ? "0" : "") + digits
        }.joined()
    }
}
