import KilnDocuments
import KilnModel

/// `files`: copies a file or a folder of the recipe into the tree.
///
/// Modes are 0644, or 0755 for folders and what may be executed, whatever a checkout's are.
struct FilesProvisioner: Provisioner {
    /// Below the recipe's folder.
    let from: String
    /// Where to, an absolute path in the tree: of the folder whose content the files become, or of the file.
    let to: String
    /// Whom they belong to, such as `root` or `www-data:adm`.
    let owner: String
    let settings: StepSettings

    var summary: String { "files \(from) → \(to)" }
    var timeout: Duration { settings.timeout }
    var network: Bool { settings.network }
    var files: [String] { [from] }

    func describe(into key: inout KeyMaterial, _ recipe: Recipe, _ version: Recipe.Version) throws {
        key.add("from", from)
        key.add("to", to)
        key.add("owner", owner)
    }

    func provision(_ room: any BuildRoom, _ bake: BakeContext) async throws {
        // What is there already keeps its mode where it is a folder: / and /tmp stay what they are.
        let script = """
            set -eu
            from=$1 to=$2 owner=$3
            if [ -d "$from" ]; then
                (cd "$from" && find . ! -name . -print) | while IFS= read -r path; do
                    source=$from/${path#./} target=${to%/}/${path#./}
                    if [ -L "$source" ]; then
                        rm -rf -- "$target" && ln -s -- "$(readlink "$source")" "$target" && chown -h "$owner" "$target"
                    elif [ -d "$source" ]; then
                        [ -d "$target" ] || { mkdir -- "$target" && chmod 0755 "$target" && chown "$owner" "$target"; }
                    else
                        place "$source" "$target"
                    fi
                done
            else
                place "$from" "$to"
            fi
            """
        let place = """
            place() {
                rm -f -- "$2"
                cp -- "$1" "$2"
                if [ -x "$1" ]; then chmod 0755 "$2"; else chmod 0644 "$2"; fi
                chown "$owner" "$2"
            }
            umask 022
            mkdir -p -- "$(if [ -d "$1" ]; then echo "$2"; else dirname "$2"; fi)"

            """
        try await room.run(
            RoomCommand(
                ["/bin/sh", "-c", place + script, "files", "\(RoomPlaces.recipe)/\(from)", to, owner],
                timeout: timeout,
                network: network
            )
        )
    }
}

extension FilesProvisioner {
    static let kind = ProvisionerKind(
        word: "files",
        schema: Schema.object(FilesFields.self, "A file or a folder of the recipe that is copied into the tree.")
    ) { value, folder in
        guard let fields = Fields<FilesFields>(value, "a map with 'from' and 'to'") else { return nil }
        let from = fields[.from].flatMap { folder.entry($0, .any) }
        let to = fields[.to].flatMap { $0.text(.treePath) }
        let owner = fields[.owner].map { $0.text(.owner) } ?? "root:root"
        let settings = StepSettings.read { fields[$0 == .timeout ? .timeout : .network] }
        guard let from, let to, let owner, let settings else { return nil }
        return FilesProvisioner(
            from: from,
            to: to,
            owner: owner,
            settings: settings
        )
    }
}

/// The fields of `files`.
enum FilesFields: String, FileField {
    case from, to, owner, timeout, network

    static let required: [FilesFields] = [.from, .to]

    var schema: JSONValue {
        switch self {
        case .from: Schema.text(.relativePath, "A file or folder, relative to the recipe's.")
        case .to:
            Schema.text(.treePath, "Where to, an absolute path: of the file, or of the folder that takes the content.")
        case .owner: Schema.text(.owner, "Whom they belong to: USER or USER:GROUP; root:root without it.")
        case .timeout: StepFields.timeout.schema
        case .network: StepFields.network.schema
        }
    }
}

extension TextForm {
    /// A path in the tree, also its root.
    static let treePath = TextForm(
        "an absolute path without '.' and '..'",
        pattern: "^(?![\\s\\S]*/[.][.]?(/|$))/[^\\u0000\\n]*$"
    ) { text in
        text.hasPrefix("/") && !text.contains("\n") && !text.contains("\0")
            && !text.split(separator: "/").contains { $0 == "." || $0 == ".." }
    }

    /// A user, and maybe a group, by name or by number.
    static let owner = TextForm(
        "a user, or USER:GROUP, by name or number",
        pattern: "^[a-z0-9_][a-z0-9_-]*(:[a-z0-9_][a-z0-9_-]*)?$"
    ) { text in
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return (1...2).contains(parts.count)
            && parts.allSatisfy { part in
                part.first != "-" && !part.isEmpty
                    && part.utf8.allSatisfy { byte in
                        (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5f || byte == 0x2d
                    }
            }
    }
}
