import KilnDocuments
import KilnModel

/// Reads the files that users write.
public enum ScenarioFile {
    /// What is known of an image, where anything is: warnings tell what it would not do.
    public typealias KnownImage = (ImageReference) -> ImageManifest?

    /// The scenarios in the file at `path`: one, or one for each combination of its matrix.
    ///
    /// Where `lab` names another file, that file is read too.
    /// - Throws: `InvalidFile` with everything that is wrong, including that the file can't be read.
    public static func scenarios(
        at path: String,
        images: @escaping KnownImage = { _ in nil }
    ) throws(InvalidFile) -> [Scenario] {
        let read = try whole(path, images)
        if let lab = read.documents.first(where: { $0.steps == nil }) {
            throw InvalidFile(
                problems: [Problem(file: path, position: lab.start, path: "", message: noSteps)]
            )
        }
        return read.documents.map { document in
            Scenario(
                name: document.name,
                about: document.about,
                tags: document.tags,
                variant: document.variant,
                lab: document.lab,
                externals: document.externals,
                steps: document.steps ?? [],
                finally: document.finally,
                warnings: read.warnings
            )
        }
    }

    /// The scenario in the file at `path`, which has no matrix, or one of a single combination.
    ///
    /// - Throws: `InvalidFile` with everything that is wrong, including that there are several.
    public static func scenario(
        at path: String,
        images: @escaping KnownImage = { _ in nil }
    ) throws(InvalidFile) -> Scenario {
        let all = try scenarios(at: path, images: images)
        guard let only = all.first, all.count == 1 else { throw severalLabs(path, all.count) }
        return only
    }

    /// The lab in the file at `path`; of a scenario, its lab.
    ///
    /// - Throws: `InvalidFile` with everything that is wrong, including that its matrix makes several labs of it.
    public static func lab(
        at path: String,
        images: @escaping KnownImage = { _ in nil }
    ) throws(InvalidFile) -> LabFile {
        let all = try labs(at: path, images: images)
        guard let first = all.first, all.allSatisfy({ $0.lab == first.lab && $0.externals == first.externals }) else {
            throw severalLabs(path, all.count)
        }
        return first
    }

    /// The labs in the file at `path`: one, or one for each combination of its matrix.
    ///
    /// - Throws: `InvalidFile` with everything that is wrong, including that the file can't be read.
    public static func labs(
        at path: String,
        images: @escaping KnownImage = { _ in nil }
    ) throws(InvalidFile) -> [LabFile] {
        let read = try whole(path, images)
        return read.documents.map { document in
            LabFile(
                name: document.name,
                about: document.about,
                lab: document.lab,
                externals: document.externals,
                warnings: read.warnings
            )
        }
    }

    /// Whether the file at `path` has no steps.
    ///
    /// - Throws: `InvalidFile` where the file can't be read.
    public static func isLab(at path: String) throws(InvalidFile) -> Bool {
        try whole(path) { _ in nil }.documents.contains { $0.steps == nil }
    }

    private static let noSteps = "the field 'steps' is missing: expected a scenario, found a lab file"

    private static func severalLabs(_ path: String, _ count: Int) -> InvalidFile {
        let message = "expected a file of one combination, found a matrix of \(count); 'kiln run' runs each of them"
        let start = Position(line: 1, column: 1)
        return InvalidFile(problems: [Problem(file: path, position: start, path: "matrix", message: message)])
    }

    private static func whole(
        _ path: String,
        _ images: @escaping KnownImage
    ) throws(InvalidFile) -> (documents: [ScenarioDocument], warnings: [Problem]) {
        let problems = ProblemList(file: path)
        let documents = TextFile.read(path, problems).map { ScenarioDocument.all(in: $0, problems, images) } ?? []
        guard problems.isEmpty, !documents.isEmpty else { throw InvalidFile(problems: problems.sorted) }
        return (documents, problems.warnings)
    }
}
