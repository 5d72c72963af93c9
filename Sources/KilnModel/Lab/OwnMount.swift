/// Something in user-data that mounts a volume by itself, which a warm-first replacement does, and later.
public struct OwnMount: Sendable, Hashable {
    /// What was found, such as `a mount of '/data'`.
    public let found: String

    /// Why that does not go with warm-first.
    public static let reason =
        "the machine boots without its volumes; leave it out, Kiln mounts them where 'volumes' says once they are its own"

    /// What an element of the list below `key` in user-data does.
    ///
    /// - Parameter paths: where the server's volumes are mounted.
    public init?(_ element: JSONValue, of key: String, paths: Set<String>) {
        let found: String? =
            switch key {
            case "mounts": OwnMount.entry(element, paths)
            case "bootcmd", "runcmd":
                OwnMount.mount(in: element.strings.joined(separator: " "), paths, isMountFile: false)
            case "write_files": OwnMount.file(element, paths)
            default: nil
            }
        guard let found else { return nil }
        self.found = found
    }

    private static func entry(_ element: JSONValue, _ paths: Set<String>) -> String? {
        let words = element.strings.map(trimmed)
        return (words.first { paths.contains($0) } ?? words.first { $0.contains(device) })
            .map { "a mount of \(Name.quoted($0))" }
    }

    private static func file(_ element: JSONValue, _ paths: Set<String>) -> String? {
        guard case .object(let fields) = element else { return nil }
        let path = fields["path"]?.string ?? ""
        let isMountFile = path == "/etc/fstab" || path.hasSuffix(".mount") || path.hasSuffix(".automount")
        return mount(in: fields["content"]?.string ?? "", paths, isMountFile: isMountFile)
    }

    // A line that says 'mount' and where a volume belongs; in a file that is about nothing else, the place is enough.
    private static func mount(in text: String, _ paths: Set<String>, isMountFile: Bool) -> String? {
        if text.contains(device) { return "the name of a volume's disk, '\(device)…'," }
        for line in text.split(separator: "\n") where !line.drop(while: { $0 == " " }).hasPrefix("#") {
            let words = line.split { !($0.isLetter || $0.isNumber || "._-+@:/".contains($0)) }.map {
                trimmed(String($0))
            }
            let isMount = isMountFile || words.contains { $0 == "mount" || $0.hasSuffix("/mount") }
            if isMount, let path = words.first(where: { paths.contains($0) }) { return "a mount of '\(path)'" }
        }
        return nil
    }

    private static func trimmed(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? trimmed(String(path.dropLast())) : path
    }

    // How a guest sees the volumes of its server, by their ids.
    private static let device = "/dev/disk/by-id/virtio-"
}

extension ServerSpec {
    /// The first place in the user-data that mounts one of the server's volumes.
    public var ownMount: OwnMount? {
        let paths = Set(volumes.values)
        if let text = userDataDocument?.text { return OwnMount(.string(text), of: "runcmd", paths: paths) }
        guard case .object(let fields)? = userData else { return nil }
        return fields.sorted { $0.key < $1.key }.lazy.flatMap { key, list in
            (list.array ?? []).lazy.compactMap { OwnMount($0, of: key, paths: paths) }
        }.first
    }
}

extension JSONValue {
    /// The texts in it, at any depth; keys are no texts.
    fileprivate var strings: [String] {
        switch self {
        case .string(let text): [text]
        case .array(let elements): elements.flatMap(\.strings)
        case .object(let fields): fields.sorted { $0.key < $1.key }.flatMap(\.value.strings)
        case .null, .bool, .int, .double: []
        }
    }
}
