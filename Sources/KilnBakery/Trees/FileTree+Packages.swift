import KilnModel

extension FileTree {
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
