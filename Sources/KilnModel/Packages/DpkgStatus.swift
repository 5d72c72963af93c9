/// dpkg's list of packages, `/var/lib/dpkg/status`, of which only the installed ones count.
///
/// Whoever could write to the tree could write the list: what is not a package as Debian's policy has them is passed over.
///
/// https://manpages.debian.org/trixie/dpkg-dev/deb822.5.en.html
public struct DpkgStatus: Sendable, Hashable {
    /// A binary package.
    public struct Package: Sendable, Hashable, Comparable {
        /// Its name.
        public let name: String
        /// Its version.
        public let version: String
        /// For which processors it is; nothing where the list does not say.
        public let architecture: String?
        /// The source package that it was built from.
        public let source: String
        /// The version of that, which a rebuild without changes does not share.
        public let sourceVersion: String

        /// A package from its parts.
        public init(name: String, version: String, architecture: String?, source: String, sourceVersion: String) {
            self.name = name
            self.version = version
            self.architecture = architecture
            self.source = source
            self.sourceVersion = sourceVersion
        }

        /// By name, and then by architecture.
        public static func < (left: Package, right: Package) -> Bool {
            (left.name, left.architecture ?? "") < (right.name, right.architecture ?? "")
        }
    }

    /// The installed packages by name and architecture; of one that is listed twice the last counts, as for dpkg.
    public let packages: [Package]

    /// The most packages that are read; a Debian has less than 70,000.
    public static let mostPackages = 100_000
    /// The longest field that is looked at, in bytes.
    private static let longestField = 400

    /// Reads a list; what is none gives nothing.
    public init(_ text: [UInt8]) {
        var found: [[String]: Package] = [:]
        var paragraph = Paragraph()
        for line in text.split(separator: 0x0a, omittingEmptySubsequences: false) {
            if line.isEmpty {
                if let package = paragraph.package { found[package.key] = package }
                paragraph = Paragraph()
                guard found.count < DpkgStatus.mostPackages else { break }
            } else {
                paragraph.take(line)
            }
        }
        if let package = paragraph.package { found[package.key] = package }
        packages = found.values.sorted()
    }

    /// Versions by name; a package that shares its name with one of another architecture gets that appended, as
    /// `libc6:i386`.
    public var versions: [String: String] {
        let counts = packages.reduce(into: [String: Int]()) { $0[$1.name, default: 0] += 1 }
        let pairs = packages.map { package in
            (counts[package.name] == 1 ? package.name : package.key.joined(separator: ":"), package.version)
        }
        return Dictionary(pairs) { _, last in last }
    }

    /// What is said of one package, field by field.
    private struct Paragraph {
        private var fields: [String: String] = [:]

        mutating func take(_ line: ArraySlice<UInt8>) {
            // The lines of a field of several lines begin with a blank.
            guard line.count <= DpkgStatus.longestField, let first = line.first, first != 0x20, first != 0x09,
                let colon = line.firstIndex(of: 0x3a), colon - line.startIndex <= 12
            else { return }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            guard ["package", "status", "version", "architecture", "source"].contains(name) else { return }
            let value = line[(colon + 1)...].split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }
            fields[name] = value.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
        }

        var package: Package? {
            guard fields["status"]?.split(separator: " ").last == "installed", let name = fields["package"],
                let version = fields["version"], DpkgStatus.isName(name), DpkgStatus.isVersion(version)
            else { return nil }
            let architecture = fields["architecture"].flatMap { DpkgStatus.isName($0) ? $0 : nil }
            let (source, sourceVersion) = DpkgStatus.source(fields["source"] ?? "") ?? (name, nil)
            return Package(
                name: name,
                version: version,
                architecture: architecture,
                source: source,
                sourceVersion: sourceVersion ?? version
            )
        }
    }

    /// `NAME`, or `NAME (VERSION)`; nothing for anything else.
    private static func source(_ text: String) -> (String, String?)? {
        let words = text.split(separator: " ").map(String.init)
        guard let name = words.first, isName(name), words.count <= 2 else { return nil }
        guard words.count == 2 else { return (name, nil) }
        let version = words[1].dropFirst().dropLast()
        guard words[1].hasPrefix("("), words[1].hasSuffix(")"), isVersion(String(version)) else { return nil }
        return (name, String(version))
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isWord(first) else { return false }
        return text.utf8.allSatisfy { isWord($0) || "+-._".utf8.contains($0) }
    }

    private static func isVersion(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isWord($0) || "+-._~:".utf8.contains($0) }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }
}

extension DpkgStatus.Package {
    fileprivate var key: [String] { [name] + [architecture].compactMap(\.self) }
}
