import Foundation
import KilnDocuments
import KilnModel

/// Judges user-data of another form than a cloud-config by its parts, as far as they can be known before a machine has them.
struct UserDataParts {
    let decoder: UserDataDecoder
    /// Where the document stands.
    let place: Value
    private(set) var data = UserDataDecoder.UserData()

    // A message in a message in a message is nobody's user-data.
    private static let deepest = 8

    init(decoder: UserDataDecoder, place: Value) {
        self.decoder = decoder
        self.place = place
    }

    /// Judges one part, and the parts in it.
    mutating func judge(_ bytes: [UInt8], as form: UserDataForm, depth: Int = 0) {
        guard depth < Self.deepest else { return place.problem("expected at most \(Self.deepest) levels of parts") }
        let text = String(decoding: bytes, as: UTF8.self)
        switch form {
        case .cloudConfig: judge(config: text)
        case .script: judge(script: text)
        case .boothook: judge(script: Self.afterFirstLine(text))
        case .template: judge(template: Self.afterFirstLine(text), depth)
        case .archive: judge(archive: text, depth)
        case .mime: judge(message: text, depth)
        case .patch, .partHandler: judge(mentionsIn: text)
        case .include:
            place.warning(
                "what stands at these addresses can't be judged here, and is not the same for each generation"
            )
        case .gzip:
            place.warning(
                "it is compressed, so it can't be judged here: what formats a device would run again for every generation "
                    + "and erase a persistent volume"
            )
        }
    }

    private mutating func judge(config text: String) {
        guard let root = decoder.nested(text, place), let config = decoder.config(root) else { return }
        data.modules += config.modules
        for (key, value) in config.modules {
            if key == "ssh_keys" {
                value.problem("not allowed here: it would go before the host key that Kiln gives the machine")
            }
            if key == "vendor_data", case .map(let entries) = value.node.content,
                entries.contains(where: { $0.key == "enabled" && $0.value.json != .bool(true) })
            {
                value.problem("not allowed: mounts and keys travel in vendor-data beside user-data of this form")
            }
        }
    }

    private mutating func judge(script text: String) {
        data.scripts.append((text, place))
        UserDataGuard.check(script: text, place)
    }

    // What a template becomes is known in the guest only; its text tells most of it.
    private mutating func judge(template text: String, _ depth: Int) {
        let form = UserDataForm(beginning: text)
        let silent = ProblemList(file: place.problems.file)
        if form == .cloudConfig, YAMLDocument.root(of: text, silent) == nil || !silent.isEmpty {
            return judge(mentionsIn: text)
        }
        if let form { judge(Array(text.utf8), as: form, depth: depth + 1) }
    }

    private mutating func judge(archive text: String, _ depth: Int) {
        let silent = ProblemList(file: place.problems.file)
        guard let root = YAMLDocument.root(of: text, silent), silent.isEmpty, case .list(let parts) = root.content
        else {
            return place.problem("expected a list of parts after '\(UserDataForm.archive.rawValue)'")
        }
        for part in parts {
            switch part.json {
            case .string(let content): judge(part: content, type: nil, depth)
            case let part: judge(part: part["content"]?.string ?? "", type: part["type"]?.string, depth)
            }
        }
    }

    private mutating func judge(message text: String, _ depth: Int) {
        guard let parts = MailParts(text)?.parts else {
            return place.problem("expected a MIME message whose parts can be told, found none")
        }
        for part in parts {
            if part.bytes.starts(with: [0x1f, 0x8b]) {
                judge(part.bytes, as: .gzip, depth: depth + 1)
            } else {
                judge(part: String(decoding: part.bytes, as: UTF8.self), type: part.type, depth)
            }
        }
    }

    // As cloud-init does: scripts, and parts of types that say nothing, are what they begin as.
    private mutating func judge(part text: String, type: String?, _ depth: Int) {
        let beginning = UserDataForm(beginning: text)
        let told = type.flatMap { Self.types[$0.lowercased()] }
        let form = told == nil || told == .script ? beginning ?? told : told
        guard let form else {
            return place.warning(
                "cloud-init knows no part of the type \(Name.quoted(type ?? "text/plain")), and does nothing with it"
            )
        }
        judge(Array(text.utf8), as: form, depth: depth + 1)
    }

    private func judge(mentionsIn text: String) {
        if let module = ["fs_setup", "disk_setup"].first(where: text.contains) {
            place.warning(
                "'\(module)' may format a device, again for every generation, which erases a persistent volume"
            )
        }
        UserDataGuard.check(mentionsIn: text, place)
    }

    private static func afterFirstLine(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let end = scalars.firstIndex(of: "\n") else { return "" }
        return String(scalars[scalars.index(after: end)...])
    }

    private static let types: [String: UserDataForm] = [
        "text/cloud-config": .cloudConfig, "text/cloud-config-archive": .archive, "text/cloud-config-jsonp": .patch,
        "text/cloud-boothook": .boothook, "text/x-include-url": .include, "text/x-include-once-url": .include,
        "text/part-handler": .partHandler, "text/x-shellscript": .script, "text/jinja2": .template,
        "text/x-shellscript-per-boot": .script, "text/x-shellscript-per-instance": .script,
        "text/x-shellscript-per-once": .script,
    ]
}
