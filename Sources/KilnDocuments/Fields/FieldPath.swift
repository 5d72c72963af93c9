import KilnModel

/// Writes where in a document a field is, such as `lab.servers.web.image` or `steps[2].exec`.
package enum FieldPath {
    /// The path of `key` in the map at `path`.
    package static func joined(_ path: String, _ key: String) -> String {
        let simple =
            !key.isEmpty && key.utf8.count <= 60
            && key.utf8.allSatisfy { ($0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ".")) || $0 >= 0xc0 }
        let shown = simple ? key : Name.quoted(key)
        return path.isEmpty ? shown : "\(path).\(shown)"
    }
}
