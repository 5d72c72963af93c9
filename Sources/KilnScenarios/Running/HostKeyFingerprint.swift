import Crypto
import Foundation
import KilnDocuments
import KilnEngine
import KilnModel

/// The fingerprint of the key by which a server's SSH server is known, as `ssh-keygen -l` shows it.
///
/// It is the key that the seed of the serving generation brought, and the only one that Kiln's own connections accept.
enum HostKeyFingerprint {
    /// That of a server's; `none` where its image has no SSH server.
    static func of(_ id: MemberID, _ context: RunContext) throws -> String {
        try context.engine.record(id).hostKey.flatMap(of) ?? "none"
    }

    /// That of a public key in OpenSSH's text format; nothing where it is none.
    static func of(_ publicKey: String) -> String? {
        let words = publicKey.split(whereSeparator: \.isWhitespace)
        guard words.count > 1, let blob = Data(base64Encoded: String(words[1])) else { return nil }
        let digits = Data(SHA256.hash(data: blob)).base64EncodedString()
        return "SHA256:" + digits.prefix { $0 != "=" }
    }

    static let form = TextForm(
        "the fingerprint of an SSH key, SHA256: and 43 characters, or none",
        pattern: "^(SHA256:[A-Za-z0-9+/]{43}|none)$"
    ) { text in
        text == "none" || text.wholeMatch(of: /SHA256:[A-Za-z0-9+\/]{43}/) != nil
    }
}
