import KilnModel

/// The kinds of file that users write, told apart by the field that says the version of the format.
package enum FileKind: String, CaseIterable, Sendable {
    case lab = "kiln"
    case recipe = "kiln-image"
    case lesson = "kiln-lesson"

    /// Whether the file can be of this kind; one of another kind is reported, with the command that checks it.
    package func accepts(_ root: Value) -> Bool {
        guard case .map(let entries) = root.node.content, !entries.contains(where: { $0.key == rawValue }) else {
            return true
        }
        for entry in entries {
            guard let other = FileKind(rawValue: entry.key) else { continue }
            root.placed(at: entry.position).problem(
                "this is \(other.title), not \(title): check it with '\(other.check) \(root.problems.file)'"
            )
            return false
        }
        return true
    }

    private var title: String {
        switch self {
        case .lab: "a lab or scenario"
        case .recipe: "the recipe of an image"
        case .lesson: "a lesson"
        }
    }

    private var check: String {
        switch self {
        case .lab: "kiln scenario lint"
        case .recipe: "kiln image lint"
        case .lesson: "kiln learn lint"
        }
    }
}

extension Value {
    /// Reads the version of the format, which has to be 1.
    package func requireFirstFormat() {
        guard let version = whole(in: 1...1_000_000), version != 1 else { return }
        problem("expected version 1 of the format, found \(version); use a newer kiln")
    }
}
