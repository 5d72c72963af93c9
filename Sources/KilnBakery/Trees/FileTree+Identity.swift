import KilnModel

/// What a machine can say of its image: https://www.freedesktop.org/software/systemd/man/latest/os-release.html
extension FileTree {
    private static let largestRelease = 64 << 10

    /// Writes IMAGE_ID and IMAGE_VERSION into `/usr/lib/os-release`, in the place of those that are there.
    ///
    /// - Throws: `KilnError` with code `bake.tree-refused` where the file or a folder above it is a link or another thing,
    ///   `file.…`.
    func identify(name: Name, version: String) throws {
        let folder = try TreeFolder.make("usr/lib", in: path)
        let old = try folder.read("os-release", limit: FileTree.largestRelease) ?? []
        try folder.replace("os-release", with: FileTree.identified(old, name: name, version: version), mode: 0o644)
    }

    static func identified(_ release: [UInt8], name: Name, version: String) -> [UInt8] {
        let keys = ["IMAGE_ID=", "IMAGE_VERSION="].map { Array($0.utf8) }
        var lines = release.split(separator: 0x0a, omittingEmptySubsequences: false).filter { line in
            let text = line.drop { $0 == 0x20 || $0 == 0x09 }
            return !keys.contains { text.starts(with: $0) }
        }
        // What a line break at the end leaves.
        if lines.last?.isEmpty == true { lines.removeLast() }
        let own = ["IMAGE_ID=\"\(name)\"", "IMAGE_VERSION=\"\(version)\""].map { Array($0.utf8)[...] }
        return Array((lines + own + [[]]).joined(separator: [0x0a]))
    }

    /// The Debian packages that are installed in it; none where there is no dpkg.
    ///
    /// - Throws: `KilnError` with code `bake.tree-refused`, `file.unreadable`.
    func packages() throws -> [DpkgStatus.Package] {
        guard let folder = try TreeFolder.find("var/lib/dpkg", in: path),
            let status = try folder.read("status", limit: 64 << 20)
        else { return [] }
        return DpkgStatus(status).packages
    }
}
