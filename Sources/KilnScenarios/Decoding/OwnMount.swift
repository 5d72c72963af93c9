import KilnModel

/// A place in user-data that mounts a volume, which a warm-first replacement does by itself and later.
struct OwnMount {
    private let place: Value
    private let found: String

    /// Reports it: at boot the machine of a warm-first replacement has no volumes yet.
    func refuse() { place.problem("\(found) is not allowed with strategy warm-first: \(OwnMount.reason)") }

    /// Why a step can't replace `server` warm-first.
    func refusal(of server: Name) -> String {
        "the user-data of '\(server)' has \(found), which does not go with warm-first: \(OwnMount.reason)"
    }

    private static let reason =
        "the machine boots without its volumes; leave it out, Kiln mounts them where 'volumes' says once they are its own"

    /// All of them in the user-data of a server with these volumes.
    static func all(in userData: Value, of volumes: [Name: String]) -> [OwnMount] {
        guard let entries = UserDataDecoder.map(userData) else { return [] }
        let paths = Set(volumes.values)
        return entries.flatMap { key, value -> [OwnMount] in
            switch key {
            case "mounts": value.elements.compactMap { entry($0, paths) }
            case "bootcmd", "runcmd": value.elements.compactMap { command($0, paths) }
            case "write_files": value.elements.compactMap { file($0, paths) }
            default: []
            }
        }
    }

    private static func entry(_ value: Value, _ paths: Set<String>) -> OwnMount? {
        let words = value.texts.compactMap(\.plainText).map(trimmed)
        return (words.first { paths.contains($0) } ?? words.first { $0.contains(device) }).map {
            OwnMount(place: value, found: "a mount of \(Name.quoted($0))")
        }
    }

    private static func command(_ value: Value, _ paths: Set<String>) -> OwnMount? {
        let text = value.texts.compactMap(\.plainText).joined(separator: " ")
        return mount(in: text, paths, isMountFile: false).map { OwnMount(place: value, found: $0) }
    }

    private static func file(_ value: Value, _ paths: Set<String>) -> OwnMount? {
        guard case .map(let entries) = value.node.content else { return nil }
        func text(_ key: String) -> String {
            guard case .scalar(let scalar)? = entries.first(where: { $0.key == key })?.value.content else { return "" }
            return scalar.text
        }
        let path = text("path")
        let isMountFile = path == "/etc/fstab" || path.hasSuffix(".mount") || path.hasSuffix(".automount")
        return mount(in: text("content"), paths, isMountFile: isMountFile).map { OwnMount(place: value, found: $0) }
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
