import KilnDocuments
import KilnModel

extension Value {
    /// An absolute path in a guest that means itself everywhere it is written: no `..`, no blanks, nothing to escape.
    func guestPath(_ expected: String) -> String? {
        let rule = "\(expected): an absolute path without '.', '..' or '//', of letters, digits and ._-+@:/"
        guard let text = text(rule) else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let allowed = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || "._-+@:/".utf8.contains(byte)
        }
        guard text.hasPrefix("/"), text.utf8.count <= 255, allowed, !parts.isEmpty,
            parts.allSatisfy({ !["", ".", ".."].contains($0) })
        else {
            mismatch(rule)
            return nil
        }
        return text
    }
}
