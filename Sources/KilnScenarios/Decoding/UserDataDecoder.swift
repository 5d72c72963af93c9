import KilnDocuments
import KilnModel

/// Reads user-data, and refuses what would erase a volume or name what is not there.
struct UserDataDecoder {
    /// What the server's image makes of it.
    let review: UserDataReview
    let image: ImageManifest?

    /// User-data as it could be read.
    struct UserData {
        /// The cloud-config that it is.
        var config: JSONValue?
        /// The document that it is, where it has another form.
        var document: UserDataDocument?
        /// What stands below the top-level keys of its cloud-configs.
        var modules: [(key: String, value: Value)] = []
        /// Its scripts, each with its place.
        var scripts: [(text: String, place: Value)] = []
        /// The texts that become part of the guest.
        var texts: [Value] = []
    }

    init(_ image: ImageReference?, _ manifest: ImageManifest?) {
        self.image = manifest
        review = UserDataReview(manifest, named: image.map(\.description) ?? "of the server")
    }

    /// A map, or text of one of cloud-init's forms.
    func decode(_ value: Value) -> UserData? {
        switch value.node.content {
        case .map: return config(value)
        case .scalar(let scalar) where scalar.meaning == .text: return decode(scalar.text, value)
        default:
            value.mismatch("a map, or \(UserDataForm.choices)")
            return nil
        }
    }

    /// The file that `value` names, relative to the one that names it.
    func decode(file value: Value) -> UserData? {
        guard let path = value.neighbour("the path of a file with user-data") else { return nil }
        let problems = ProblemList(file: path)
        value.problems.include(problems)
        guard let bytes = TextFile.bytes(path, problems) else { return nil }
        if UserDataForm(bytes) == .gzip { return document(bytes, .gzip, Value.text("", in: problems)) }
        return TextFile.text(bytes, problems).flatMap { decode($0, Value.text($0, in: problems)) }
    }

    private func decode(_ text: String, _ place: Value) -> UserData? {
        let beginning = UserDataForm(beginning: text)
        if beginning == .cloudConfig { return nested(text, place, isFile: place.path.isEmpty).flatMap(config) }
        guard let form = UserDataForm(Array(text.utf8)) else {
            let mark = text.unicodeScalars.first == "\u{feff}" ? ", behind a byte order mark" : ""
            let first = String(text.prefix { !$0.isNewline }.prefix(60))
            place.problem("expected \(UserDataForm.choices), found \(Name.quoted(first))\(mark)")
            return nil
        }
        if form == .mime, let beginning {
            place.problem(
                "cloud-init takes \(beginning.about) for a MIME message where its first 4096 bytes have '\(form.rawValue)': "
                    + "move that on, or make the text a part of a MIME message"
            )
            return nil
        }
        var data = document(Array(text.utf8), form, place)
        data?.texts = [place]
        return data
    }

    private func document(_ bytes: [UInt8], _ form: UserDataForm, _ place: Value) -> UserData? {
        if let refusal = review.refusal(of: form) {
            place.problem(refusal)
            return nil
        }
        var parts = UserDataParts(decoder: self, place: place)
        parts.judge(bytes, as: form)
        var data = parts.data
        data.document = UserDataDocument(bytes, keys: Set(data.modules.map(\.key)).sorted())
        return data
    }

    /// The map that a cloud-config text holds; where it is not a file by itself its parts are placed where it starts.
    func nested(_ text: String, _ value: Value, isFile: Bool = false) -> Value? {
        let inner = ProblemList(file: value.problems.file)
        let root = YAMLDocument.root(of: text, isFile ? value.problems : inner)
        for problem in inner.sorted {
            let path = problem.path.isEmpty ? "" : "\(problem.path): "
            value.problem("line \(problem.position.line) of the text: \(path)\(problem.message)")
        }
        guard let root, inner.isEmpty, !isFile || value.problems.isEmpty else { return nil }
        guard case .map = root.content else {
            value.problem("expected a map after '#cloud-config', found \(root.found)")
            return nil
        }
        return isFile ? Value(node: root, path: "", problems: value.problems) : value.holding(root)
    }

    /// A cloud-config, checked.
    func config(_ value: Value) -> UserData? {
        guard case .map(let entries) = value.node.content else { return nil }
        if entries.isEmpty { value.problem("expected at least one cloud-config module, found an empty map") }
        let modules = entries.map { entry in
            let path = FieldPath.joined(value.path, entry.key)
            return (key: entry.key, value: Value(node: entry.value, path: path, problems: value.problems))
        }
        for (entry, module) in zip(entries, modules) {
            check(module.value, module.value.placed(at: entry.position), entry.key)
        }
        UserDataGuard.check(modules)
        return UserData(config: value.node.json, modules: modules, texts: value.texts)
    }
}
