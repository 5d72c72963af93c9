/// A bill of materials in the words of SPDX 2.3.
///
/// https://spdx.github.io/spdx-spec/v2.3/
///
/// The part of it that an image fills in; its keys are the standard's.
public struct SPDXDocument: Sendable, Hashable, Codable {
    /// Who made the document, and when.
    public struct CreationInfo: Sendable, Hashable, Codable {
        /// When, as ISO 8601 writes it in UTC.
        public let created: String
        /// Who.
        public let creators: [String]
    }

    /// A thing that the document tells of.
    public struct Package: Sendable, Hashable, Codable {
        /// What the rest of the document calls it.
        public let id: String
        /// Its name.
        public let name: String
        /// Its version.
        public let versionInfo: String
        /// Where it can be fetched from.
        public let downloadLocation: String
        /// Whether the document tells of its files.
        public let filesAnalyzed: Bool
        /// What it is for.
        public let primaryPackagePurpose: Purpose?
        /// The digests of it as a file.
        public let checksums: [Checksum]?
        /// What others call it.
        public let externalRefs: [ExternalReference]?

        enum CodingKeys: String, CodingKey {
            case id = "SPDXID"
            case name, versionInfo, downloadLocation, filesAnalyzed, primaryPackagePurpose, checksums, externalRefs
        }
    }

    /// What a package is for.
    public enum Purpose: String, Sendable, Hashable, Codable {
        /// A whole system.
        case operatingSystem = "OPERATING-SYSTEM"
        /// What others are built from.
        case source = "SOURCE"
    }

    /// A digest.
    public struct Checksum: Sendable, Hashable, Codable {
        /// By which algorithm.
        public let algorithm: String
        /// In hexadecimal digits.
        public let checksumValue: String
    }

    /// What another system calls a package.
    public struct ExternalReference: Sendable, Hashable, Codable {
        /// The kind of system.
        public let referenceCategory: String
        /// The kind of name.
        public let referenceType: String
        /// The name.
        public let referenceLocator: String
    }

    /// What one thing is to another.
    public struct Relationship: Sendable, Hashable, Codable {
        /// What it can be.
        public enum Kind: String, Sendable, Hashable, Codable {
            /// The document is about it.
            case describes = "DESCRIBES"
            /// It is a part of it.
            case contains = "CONTAINS"
            /// It was built from it.
            case generates = "GENERATES"
        }

        /// The one.
        public let spdxElementId: String
        /// What it is.
        public let relationshipType: Kind
        /// The other.
        public let relatedSpdxElement: String
    }

    /// The version of the standard.
    public let spdxVersion: String
    /// The licence of the document itself.
    public let dataLicense: String
    /// What the document calls itself.
    public let id: String
    /// Its name.
    public let name: String
    /// A URI that no other document has.
    public let documentNamespace: String
    /// Who made it, and when.
    public let creationInfo: CreationInfo
    /// What it tells of.
    public let packages: [Package]
    /// How these belong together.
    public let relationships: [Relationship]

    enum CodingKeys: String, CodingKey {
        case id = "SPDXID"
        case spdxVersion, dataLicense, name, documentNamespace, creationInfo, packages, relationships
    }
}
