import KilnDocuments
import KilnModel

/// Reads the files that users write.
public enum ScenarioFile {
    /// The scenario in the file at `path`.
    ///
    /// Where `lab` names another file, that file is read too.
    /// - Parameter images: what is known of an image, where anything is: warnings tell what it would not do.
    /// - Throws: `InvalidFile` with everything that is wrong, including that the file can't be read.
    public static func scenario(
        at path: String,
        images: @escaping (ImageReference) -> ImageManifest? = { _ in nil }
    ) throws(InvalidFile) -> Scenario {
        let problems = ProblemList(file: path)
        let decoded = TextFile.read(path, problems).flatMap { decode($0, problems, images) }
        guard let decoded, problems.isEmpty, let steps = decoded.steps else {
            if problems.isEmpty { problems.add(decoded?.start ?? Position(line: 1, column: 1), "", noSteps) }
            throw InvalidFile(problems: problems.sorted)
        }
        return Scenario(
            name: decoded.name,
            about: decoded.about,
            lab: decoded.lab,
            steps: steps,
            warnings: problems.warnings
        )
    }

    /// The lab in the file at `path`; of a scenario, its lab.
    ///
    /// - Parameter images: what is known of an image, where anything is: warnings tell what it would not do.
    /// - Throws: `InvalidFile` with everything that is wrong, including that the file can't be read.
    public static func lab(
        at path: String,
        images: @escaping (ImageReference) -> ImageManifest? = { _ in nil }
    ) throws(InvalidFile) -> LabFile {
        let problems = ProblemList(file: path)
        let decoded = TextFile.read(path, problems).flatMap { decode($0, problems, images) }
        guard let decoded, problems.isEmpty else { throw InvalidFile(problems: problems.sorted) }
        return LabFile(name: decoded.name, about: decoded.about, lab: decoded.lab, warnings: problems.warnings)
    }

    private static let expected = "a map with 'kiln', 'name' and 'lab'"
    private static let noSteps = "the field 'steps' is missing: expected a scenario, found a lab file"
}

extension ScenarioFile {
    private struct Decoded {
        let name: Name
        let about: String?
        let lab: LabSpec
        let steps: [Step]?
        let start: Position
    }

    private static func decode(
        _ text: String,
        _ problems: ProblemList,
        _ images: @escaping (ImageReference) -> ImageManifest?
    ) -> Decoded? {
        guard let root = YAMLDocument.root(of: text, problems) else { return nil }
        let value = Value(node: root, path: "", problems: problems)
        guard FileKind.lab.accepts(value), let fields = Fields<FileFields>(value, expected) else { return nil }
        fields[.kiln]?.requireFirstFormat()
        let name = fields[.name]?.newName()
        let about = fields[.about]?.text()
        let lab = fields[.lab].flatMap { $0.isText ? labFile($0, images) : LabDecoder.decode($0, images) }
        let steps = fields[.steps].map { readSteps($0, lab) }
        guard let name, let lab else { return nil }
        return Decoded(name: name, about: about, lab: lab.spec(name: name), steps: steps, start: root.position)
    }

    private static func readSteps(_ value: Value, _ lab: DecodedLab?) -> [Step] {
        guard let elements = value.list(of: "steps"), let lab else { return [] }
        let decoder = StepDecoder(lab: lab)
        let steps = elements.compactMap { element in decoder.decode(element).map { (step: $0, value: element) } }
        // A step that could not be read would make those after it look wrong.
        return steps.count == elements.count ? StepSequence.checked(steps) : steps.map(\.step)
    }

    /// The lab of the file that `value` names, whose problems carry that file's name.
    private static func labFile(
        _ value: Value,
        _ images: @escaping (ImageReference) -> ImageManifest?
    ) -> DecodedLab? {
        guard let path = value.neighbour("the path of a lab file") else { return nil }
        let problems = ProblemList(file: path)
        value.problems.include(problems)
        return TextFile.read(path, problems).flatMap { YAMLDocument.root(of: $0, problems) }
            .flatMap { declaredLab($0, problems, images) }
    }

    private static func declaredLab(
        _ root: YAMLNode,
        _ problems: ProblemList,
        _ images: @escaping (ImageReference) -> ImageManifest?
    ) -> DecodedLab? {
        let value = Value(node: root, path: "", problems: problems)
        guard FileKind.lab.accepts(value), let fields = Fields<FileFields>(value, expected) else { return nil }
        if fields[.kiln]?.whole(in: 1...1) == nil, fields[.kiln] != nil { return nil }
        _ = fields[.name]?.newName()
        _ = fields[.about]?.text()
        guard let lab = fields[.lab] else { return nil }
        if lab.isText {
            lab.problem("expected a map: a lab file that is named by another file declares its lab itself")
        }
        return lab.isText ? nil : LabDecoder.decode(lab, images)
    }
}

extension Value {
    fileprivate var isText: Bool {
        if case .scalar = node.content { true } else { false }
    }
}
