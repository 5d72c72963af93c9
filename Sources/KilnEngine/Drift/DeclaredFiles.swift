import KilnModel

/// The files that the user-data of a server makes the guest write.
///
/// https://cloudinit.readthedocs.io/en/latest/reference/modules.html#write-files
struct DeclaredFiles {
    /// The host's port by server and port name.
    let ports: [Name: [Name: UInt16]]
    /// The external services of the run.
    var externals: [Name: ExternalAccess] = [:]
    /// The sha256 of some bytes.
    let digest: ([UInt8]) -> String

    /// The files of `write_files` by path; what has no absolute path is left out.
    func files(_ userData: JSONValue?) -> [RootPath: RootDifference.DeclaredFile] {
        var files: [RootPath: RootDifference.DeclaredFile] = [:]
        for entry in userData?["write_files"]?.array ?? [] {
            guard let path = entry["path"]?.string.flatMap({ RootPath(written: $0) }) else { continue }
            // Written twice, or appended to, the content is what only the guest knows.
            let isPlain = files[path] == nil && entry["encoding"] == nil && entry["append"] != .bool(true)
            files[path] = RootDifference.DeclaredFile(
                content: isPlain ? content(entry).map(digest) : nil,
                mode: mode(entry["permissions"]),
                isRoots: entry["owner"] == nil
            )
        }
        return files
    }

    private func content(_ entry: JSONValue) -> [UInt8]? {
        guard let content = entry["content"] else { return [] }
        guard let text = content.string else { return nil }
        let resolved = try? PortReference.replacing(in: externals.put(into: text)) { reference in
            guard let port = ports[reference.server]?[reference.port] else {
                throw KilnError(.userDataReferenceUnknown, "\(reference) names no published port")
            }
            return String(port)
        }
        return resolved.map { Array($0.utf8) }
    }

    private func mode(_ permissions: JSONValue?) -> UInt16? {
        guard let permissions else { return 0o644 }
        return permissions.string.flatMap { UInt16($0.hasPrefix("0o") ? String($0.dropFirst(2)) : $0, radix: 8) }
    }
}
