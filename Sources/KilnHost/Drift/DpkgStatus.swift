/// dpkg's list of packages, `/var/lib/dpkg/status`.
///
/// https://manpages.debian.org/trixie/dpkg-dev/deb822.5.en.html
enum DpkgStatus {
    /// Names and versions of the packages that are installed, by name.
    ///
    /// A package of another architecture that shares its name gets it appended, as `libc6:i386`. What is no list gives
    /// nothing; of packages that are listed twice the last counts, as for dpkg.
    static func packages(_ text: [UInt8]) -> [(name: [UInt8], version: [UInt8])] {
        var found: [[UInt8]: [[UInt8]: [UInt8]]] = [:]
        var paragraph: [String: [UInt8]] = [:]
        func end() {
            defer { paragraph = [:] }
            guard let name = paragraph["package"], let version = paragraph["version"], !name.isEmpty, !version.isEmpty,
                let status = paragraph["status"],
                status.split(separator: 0x20).last.map(Array.init) == Array("installed".utf8)
            else { return }
            found[name, default: [:]][paragraph["architecture"] ?? []] = version
        }
        for line in text.split(separator: 0x0a, omittingEmptySubsequences: false) {
            if line.isEmpty {
                end()
            } else if let colon = line.firstIndex(of: 0x3a), let first = line.first, first != 0x20, first != 0x09 {
                let field = String(decoding: line[..<colon], as: UTF8.self).lowercased()
                guard ["package", "status", "version", "architecture"].contains(field) else { continue }
                paragraph[field] = trimmed(line[(colon + 1)...])
            }
        }
        end()
        return found.flatMap { name, versions in
            versions.map { architecture, version in
                (versions.count == 1 ? name : name + [0x3a] + architecture, version)
            }
        }
        .sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    private static func trimmed(_ field: ArraySlice<UInt8>) -> [UInt8] {
        Array(
            field.drop { $0 == 0x20 || $0 == 0x09 }.reversed().drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }
                .reversed()
        )
    }
}
