import KilnDocuments
import KilnModel

/// `files`: copies a file or a folder of the recipe into the tree, or one of another image's tree.
///
/// Of the recipe's files modes are 0644, or 0755 for folders and what may be executed, whatever a checkout's are. Those of
/// an image keep modes and owners.
struct FilesProvisioner: Provisioner {
    /// The image of whose tree it is; nothing for the recipe's folder.
    let image: ImageReference?
    /// Below the recipe's folder, or an absolute path of the image's tree.
    let from: String
    /// Where to, an absolute path in the tree: of the folder whose content the files become, or of the file.
    let to: String
    /// Whom the recipe's files belong to, such as `root` or `www-data:adm`.
    let owner: String
    let settings: StepSettings

    var summary: String { "files \(image.map { "of \($0) " } ?? "")\(from) → \(to)" }
    var timeout: Duration { settings.timeout }
    var network: Bool { settings.network }
    var files: [String] { image == nil ? [from] : [] }
    var needsTree: String? {
        image.map { "files of \($0) are copied into a tree only, and a machine that runs is none" }
    }

    func describe(into key: inout KeyMaterial, _ recipe: Recipe, _ version: Recipe.Version) throws {
        key.add("from", from)
        key.add("to", to)
        key.add("owner", owner)
    }

    func provision(_ room: any BuildRoom, _ bake: BakeContext) async throws {
        let arguments =
            image == nil
            ? ["/bin/sh", "-c", FilesProvisioner.copy, "files", "\(RoomPlaces.recipe)/\(from)", to, owner]
            : ["/bin/sh", "-c", FilesProvisioner.take, "files", RoomPlaces.image, from, to]
        try await room.run(RoomCommand(arguments, timeout: timeout, network: network))
    }

    // Copies what the recipe has.
    private static let copy = {
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
        return place + script
    }()

    // Copies what the image has. A link on the way to it would lead to a path of this tree, where it is absolute.
    private static let take = """
        set -eu
        image=$1 from=$2 to=$3
        source=$image$from
        folder=${source%/*}
        while [ "$folder" != "$image" ]; do
            [ ! -L "$folder" ] || {
                echo "$from is reached by the link ${folder#"$image"}, which leads to $(readlink "$folder")" >&2
                exit 1
            }
            folder=${folder%/*}
        done
        [ -e "$source" ] || [ -L "$source" ] || { echo "the image has no $from" >&2; exit 1; }
        umask 022
        if [ -d "$source" ] && [ ! -L "$source" ]; then
            mkdir -p -- "$to"
            cp -a -- "$source/." "$to"
        else
            mkdir -p -- "$(dirname "$to")"
            rm -f -- "$to"
            cp -a -- "$source" "$to"
        fi
        """
}

extension FilesProvisioner {
    static let kind = ProvisionerKind(
        word: "files",
        schema: Schema.object(
            FilesFields.self,
            "A file or a folder of the recipe, or of another image, that is copied into the tree."
        )
    ) { value, folder in
        guard let fields = Fields<FilesFields>(value, "a map with 'from' and 'to'") else { return nil }
        let isOfImage = fields[.image] != nil
        let image = fields[.image].flatMap { $0.imageReference() }
        let from = fields[.from].flatMap { isOfImage ? $0.text(.pathInImage) : folder.entry($0, .any) }
        if isOfImage { fields[.owner]?.problem("files of an image keep their owners") }
        let to = fields[.to].flatMap { $0.text(.treePath) }
        let owner = fields[.owner].map { $0.text(.owner) } ?? "root:root"
        let settings = StepSettings.read { fields[$0 == .timeout ? .timeout : .network] }
        guard let from, let to, let owner, let settings, isOfImage == (image != nil) else { return nil }
        return FilesProvisioner(
            image: image,
            from: from,
            to: to,
            owner: owner,
            settings: settings
        )
    }
}

/// The fields of `files`.
enum FilesFields: String, FileField {
    case from, to, image, owner, timeout, network

    static let required: [FilesFields] = [.from, .to]

    var schema: JSONValue {
        switch self {
        case .from:
            Schema.text(
                .filePath,
                "A file or folder, relative to the recipe's; with 'image' an absolute path of that one's tree."
            )
        case .to:
            Schema.text(.treePath, "Where to, an absolute path: of the file, or of the folder that takes the content.")
        case .image:
            Schema.text(
                "The image of which they are, with modes and owners as they are there; the recipe's own without it."
            )
        case .owner:
            Schema.text(.owner, "Whom the recipe's files belong to: USER or USER:GROUP; root:root without it.")
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

    /// A path in an image's tree, below its root.
    static let pathInImage = TextForm(
        "an absolute path of the image without '.', '..' and a '/' at its end",
        pattern: "^(?![\\s\\S]*/[.]{0,2}(/|$))/[^\\u0000\\n]+$"
    ) { text in
        treePath.accepts(text) && !text.hasSuffix("/") && !text.contains("//")
    }

    /// A path below the recipe's folder, or one in an image's tree.
    static let filePath = TextForm(
        "a path below the recipe's folder, or with 'image' an absolute one",
        pattern: "(\(relativePath.pattern))|(\(pathInImage.pattern))"
    ) { text in
        relativePath.accepts(text) || pathInImage.accepts(text)
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
