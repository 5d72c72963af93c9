import KilnDocuments
import KilnModel

/// One scenario or lab as a file has it, with one combination of the file's matrix put in.
struct ScenarioDocument {
    let name: Name
    let about: String?
    let tags: [Name]
    let variant: [Name: String]
    let lab: LabSpec
    let externals: [Name: ExternalSpec]
    /// Nothing where the file is a lab's.
    let steps: [PlacedStep]?
    let finally: [PlacedStep]
    let start: Position

    private static let expected = "a map with 'kiln', 'name' and 'lab'"
    /// The most bytes that all combinations of a file come to.
    private static let largest = 16 << 20

    /// All that are in a text; problems are reported, and what could not be read is left out.
    static func all(
        in text: String,
        _ problems: ProblemList,
        _ images: @escaping ScenarioFile.KnownImage
    ) -> [ScenarioDocument] {
        guard let root = YAMLDocument.root(of: text, problems) else { return [] }
        let value = Value(node: root, path: "", problems: problems)
        guard FileKind.lab.accepts(value) else { return [] }
        let declared = Variables.Declared(value)
        let combinations = declared.combinations
        guard combinations.count == 1 || combinations.count * text.utf8.count <= largest else {
            problems.add(
                root.position,
                "matrix",
                "too much for a file of this size: \(combinations.count) combinations"
            )
            return []
        }
        return combinations.compactMap { combination in
            guard let node = Variables(declared, combination, problems).put(into: root) else { return nil }
            let value = Value(node: node, path: "", problems: problems)
            return ScenarioDocument(value, combination.mapValues(\.text), images)
        }
    }

    private init?(_ value: Value, _ variant: [Name: String], _ images: @escaping ScenarioFile.KnownImage) {
        guard let fields = Fields<FileFields>(value, ScenarioDocument.expected) else { return nil }
        fields[.kiln]?.requireFirstFormat()
        let name = fields[.name]?.newName()
        about = fields[.about]?.text()
        tags = fields[.tags].map { ($0.list(of: "tags") ?? []).compactMap { $0.newName() } } ?? []
        externals = fields[.external].map { ExternalDecoder.decode($0) } ?? [:]
        // Also those that could not be read, so that one mistake is reported once.
        let names = ExternalNames(all: Value.names(of: fields[.external]))
        let lab = fields[.lab].flatMap {
            $0.isText ? Self.labFile($0, names, images) : LabDecoder.decode($0, externals: names, images)
        }
        let read = lab.map { Self.steps(fields, $0) }
        for name in names.all where lab?.servers.contains(where: { $0.name == name }) == true {
            fields[.external]?.problem("'\(name)' is a server already; guests know both by their names")
        }
        if fields[.steps] == nil {
            for field in [FileFields.finally, .stepsNamed, .matrix, .external] {
                fields[field]?.problem("it is for scenarios, and this file has no 'steps'")
            }
        }
        guard let name, let lab else { return nil }
        self.name = name
        self.variant = variant
        self.lab = lab.spec(name: name)
        steps = read?.steps
        finally = read?.finally ?? []
        start = value.node.position
    }
}

// MARK: - Steps

extension ScenarioDocument {
    private static func steps(
        _ fields: Fields<FileFields>,
        _ lab: DecodedLab
    ) -> (steps: [PlacedStep]?, finally: [PlacedStep]) {
        guard let value = fields[.steps] else { return (nil, []) }
        let lists = fields[.stepsNamed].flatMap { $0.named("names and lists of steps") { $0 } } ?? [:]
        let reader = StepReader(lab: lab, named: lists)
        let steps = reader.steps(value)
        let finally = fields[.finally].map { reader.steps($0) } ?? []
        // What nothing uses is read all the same, so that what is wrong with it is told.
        for (name, list) in lists.sorted(by: { $0.key < $1.key }) where !reader.used.contains(name) {
            list.warning("no step uses this; 'use: \(name)' would")
            _ = reader.steps(list)
        }
        for field in [FileFields.lab, .about, .tags, .steps, .finally, .stepsNamed] {
            if let value = fields[field] { reader.refuseUntaken(value, isLab: field == .lab) }
        }
        // A step that could not be read would make those after it look wrong.
        guard let steps, let finally else { return (steps ?? [], []) }
        let problems = value.problems
        LabForecast.check(steps, finally: finally, lab: lab, problems)
        let count = (steps + finally).reduce(0) { min($0 + $1.performances, PlacedStep.most + 1) }
        if count > PlacedStep.most {
            value.problem("expected at most \(PlacedStep.most) steps to be performed, found more: repeat less")
        }
        return (steps, finally)
    }
}

// MARK: - Labs in files of their own

extension ScenarioDocument {
    /// The lab of the file that `value` names, whose problems carry that file's name.
    static func labFile(
        _ value: Value,
        _ externals: ExternalNames,
        _ images: @escaping ScenarioFile.KnownImage
    ) -> DecodedLab? {
        guard let path = value.neighbour("the path of a lab file") else { return nil }
        let problems = ProblemList(file: path)
        value.problems.include(problems)
        return TextFile.read(path, problems).flatMap { YAMLDocument.root(of: $0, problems) }
            .flatMap { declaredLab($0, problems, externals, images) }
    }

    private static func declaredLab(
        _ root: YAMLNode,
        _ problems: ProblemList,
        _ externals: ExternalNames,
        _ images: @escaping ScenarioFile.KnownImage
    ) -> DecodedLab? {
        let written = Value(node: root, path: "", problems: problems)
        guard FileKind.lab.accepts(written) else { return nil }
        let declared = Variables.Declared(written)
        guard let node = Variables(declared, [:], problems).put(into: root) else { return nil }
        let value = Value(node: node, path: "", problems: problems)
        guard let fields = Fields<FileFields>(value, expected) else { return nil }
        if fields[.kiln]?.whole(in: 1...1) == nil, fields[.kiln] != nil { return nil }
        let name = fields[.name]?.newName()
        _ = fields[.about]?.text()
        fields[.matrix]?.problem("a lab file that is named by another file has one combination; leave the matrix out")
        guard let lab = fields[.lab] else { return nil }
        if lab.isText {
            lab.problem("expected a map: a lab file that is named by another file declares its lab itself")
        }
        var decoded = lab.isText ? nil : LabDecoder.decode(lab, externals: externals, images)
        decoded?.ownName = name
        return decoded
    }
}

extension Value {
    fileprivate var isText: Bool {
        if case .scalar = node.content { true } else { false }
    }
}
