import KilnDocuments
import KilnModel

extension UserDataDocument {
    /// The cloud-configs among the parts of a MIME message or an archive, each with its first line.
    ///
    /// What is packed is not among them, nor what a template becomes in the guest.
    public var cloudConfigs: [String] { CloudConfigParts.find(in: bytes, form, depth: 0) }
}

/// Finds the cloud-configs of a document.
private enum CloudConfigParts {
    // As with ``UserDataParts``.
    static let deepest = 8

    static func find(in bytes: [UInt8], _ form: UserDataForm?, depth: Int) -> [String] {
        guard depth < deepest else { return [] }
        let text = String(decoding: bytes, as: UTF8.self)
        switch form {
        case .cloudConfig: return [text]
        case .archive: return archived(text, depth: depth)
        case .mime:
            return (MailParts(text)?.parts ?? []).flatMap { part in
                find(inPart: String(decoding: part.bytes, as: UTF8.self), type: part.type, depth: depth)
            }
        default: return []
        }
    }

    private static func archived(_ text: String, depth: Int) -> [String] {
        let silent = ProblemList(file: "")
        guard case .list(let parts)? = YAMLDocument.root(of: text, silent)?.content else { return [] }
        return parts.flatMap { part in
            let json = part.json
            return find(
                inPart: json.string ?? json["content"]?.string ?? "",
                type: json["type"]?.string,
                depth: depth
            )
        }
    }

    // A part of that type need not have the line, without which a file of its own is nothing.
    private static func find(inPart text: String, type: String?, depth: Int) -> [String] {
        let beginning = UserDataForm(beginning: text)
        if type?.lowercased() == "text/cloud-config", beginning != .cloudConfig {
            return [UserDataForm.cloudConfig.rawValue + "\n" + text]
        }
        return find(in: Array(text.utf8), beginning ?? UserDataForm(Array(text.utf8)), depth: depth + 1)
    }
}
