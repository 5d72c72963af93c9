import Foundation
import KilnDocuments
import KilnModel
import KilnSystem

/// Reads lessons.
public enum LessonFile {
    /// What the file of a lesson is called, in the folder that has the lesson's name.
    public static let name = "lesson.yaml"

    /// The lesson in a folder.
    ///
    /// - Parameters:
    ///   - folder: the folder, whose last part is the lesson's name.
    ///   - images: what is known of an image, where anything is.
    /// - Throws: `InvalidFile` with everything that is wrong with it and with its lab file.
    public static func lesson(
        in folder: String,
        images: @escaping ScenarioFile.KnownImage = { _ in nil }
    ) throws(InvalidFile) -> Lesson {
        let problems = ProblemList(file: "\(folder)/\(name)")
        let lesson = TextFile.read(problems.file, problems).flatMap { YAMLDocument.root(of: $0, problems) }
            .flatMap { LessonDecoder(folder, problems, images).lesson(Value(node: $0, path: "", problems: problems)) }
        guard let lesson, problems.isEmpty else { throw InvalidFile(problems: problems.sorted) }
        return lesson
    }
}

/// Reads one lesson.
struct LessonDecoder {
    private let folder: String
    private let problems: ProblemList
    private let images: ScenarioFile.KnownImage

    init(_ folder: String, _ problems: ProblemList, _ images: @escaping ScenarioFile.KnownImage) {
        self.folder = folder
        self.problems = problems
        self.images = images
    }

    /// The lesson; complete only where no problem was reported.
    func lesson(_ value: Value) -> Lesson? {
        guard FileKind.lesson.accepts(value),
            let fields = Fields<LessonFields>(value, "a map with 'kiln-lesson', 'title' and 'tasks'")
        else { return nil }
        fields[.format]?.requireFirstFormat()
        let name = ownName(value)
        let title = fields[.title]?.line()
        let about = fields[.about]?.text()
        let minutes = fields[.minutes]?.whole(in: 1...240)
        let order = fields[.order].map { $0.whole(in: 1...1000) } ?? Int.max
        let finally = fields[.finally].map { $0.list(of: "commands")?.compactMap { $0.lessonCommand(exit: nil) } } ?? []
        let place = fields[.setting].flatMap { setting($0, name) }
        let tasks = fields[.tasks]?.list(of: "tasks")
        guard let place else { return nil }
        let read = tasks?.compactMap { task($0, StepReader(lab: place.lab)) } ?? []
        guard let name, let title, let about, let minutes, let order, let finally, !read.isEmpty else { return nil }
        let lesson = Lesson(
            name: name,
            folder: folder,
            title: title,
            about: about,
            minutes: minutes,
            order: order,
            setting: place.setting,
            tasks: read,
            finally: finally,
            warnings: problems.warnings
        )
        if lesson.scenario(of: lesson.steps).needsOwnHome {
            value.problem("a lesson breaks nothing of the host; a scenario can, in a home of its own")
        }
        return lesson
    }

    private func ownName(_ value: Value) -> Name? {
        let last = URL(fileURLWithPath: folder).lastPathComponent
        guard let name = try? Name(last) else {
            value.problem("expected a folder whose name is a name (\(Value.nameRule)), found \(Name.quoted(last))")
            return nil
        }
        return name
    }
}

// MARK: - The setting

extension LessonDecoder {
    private func setting(_ value: Value, _ name: Name?) -> (setting: LessonSetting, lab: DecodedLab)? {
        guard let fields = Fields<LessonSettingFields>(value, "a map with 'lab'") else { return nil }
        let images = fields[.images].map { ($0.list(of: "images") ?? []).compactMap { $0.image() } } ?? []
        guard let file = fields[.lab], isWithin(file),
            let lab = ScenarioDocument.labFile(file, .none, self.images)
        else { return nil }
        if let name, let found = lab.ownName, found != name {
            file.problem("expected a lab with the name of this lesson, '\(name)', found '\(found)'")
        }
        let reader = StepReader(lab: lab)
        let servers = fields[.up].map { reader.servers($0) ?? [] } ?? reader.serverNames
        let steps = fields[.steps].map { self.steps($0, reader) ?? [] } ?? []
        LabForecast.check(steps, with: servers, of: lab, problems)
        guard let name else { return nil }
        let setting = LessonSetting(lab: lab.spec(name: name), servers: servers, images: images, steps: steps)
        return (setting, lab)
    }

    // A lesson is worked with in a copy of its folder.
    private func isWithin(_ file: Value) -> Bool {
        guard case .scalar(let scalar) = file.node.content, scalar.text.split(separator: "/").contains("..") else {
            return true
        }
        file.problem("expected a file in the lesson's own folder, found \(Name.quoted(scalar.text))")
        return false
    }

    private func steps(_ value: Value, _ reader: StepReader) -> [PlacedStep]? {
        let steps = reader.steps(value)
        reader.refuseUntaken(value)
        for step in steps ?? [] { refuse(step) }
        return steps
    }

    // By a step the lab would come up as runs have it, with other deadlines than the file has.
    private func refuse(_ step: PlacedStep) {
        for step in step.all where [UpStep.kind.word, DownStep.kind.word].contains(step.kind) {
            problems.add(
                step.place.position,
                step.place.path,
                "'\(step.kind)' is for scenarios; a lesson's servers are up, and 'kiln \(step.kind)' is a command"
            )
        }
    }
}

// MARK: - Tasks

extension LessonDecoder {
    private func task(_ value: Value, _ reader: StepReader) -> LessonTask? {
        guard let fields = Fields<LessonTaskFields>(value, "a map with 'title', 'text' and 'check'") else { return nil }
        let title = fields[.title]?.line()
        let text = fields[.text]?.text()
        let check = fields[.check].flatMap { self.check($0, reader) }
        let hints = fields[.hints].flatMap(self.hints)
        let solution = fields[.solution].flatMap { self.solution($0, reader) }
        let read = fields[.read]?.text()
        guard let title, let text, let check, let hints, let solution, let read else { return nil }
        return LessonTask(title: title, text: text, check: check, hints: hints, solution: solution, read: read)
    }

    private func check(_ value: Value, _ reader: StepReader) -> [PlacedStep]? {
        guard let steps = steps(value, reader) else { return nil }
        let looking = [ExpectStep.kind.word, ExecStep.kind.word, HTTPStep.kind.word]
        for step in steps where !looking.contains(step.kind) {
            problems.add(
                step.place.position,
                step.place.path,
                "expected a step that only looks (\(looking.joined(separator: ", "))), found '\(step.kind)'"
            )
        }
        LabForecast.check([], finally: steps, lab: reader.lab, problems)
        return steps
    }

    private func hints(_ value: Value) -> [String]? {
        guard let hints = value.list(of: "two hints") else { return nil }
        let texts = hints.compactMap { $0.text("a hint") }
        if hints.count != LessonTask.hintCount { value.problem("expected two hints, found \(hints.count)") }
        return texts.count == LessonTask.hintCount ? texts : nil
    }

    private func solution(_ value: Value, _ reader: StepReader) -> [LessonAct]? {
        guard let elements = value.list(of: "commands and steps") else { return nil }
        let acts = elements.map { act($0, reader) }
        guard !acts.contains(where: { $0 == nil }) else { return nil }
        let found = acts.compactMap(\.self)
        let steps = found.compactMap { act -> PlacedStep? in if case .step(let step) = act { step } else { nil } }
        LabForecast.check([], finally: steps, lab: reader.lab, problems)
        return found
    }

    private func act(_ value: Value, _ reader: StepReader) -> LessonAct? {
        guard case .map(let entries) = value.node.content,
            !entries.contains(where: { $0.key == LessonCommandFields.command.rawValue })
        else { return value.lessonCommand().map { .command($0) } }
        guard let step = reader.step(value) else { return nil }
        reader.refuseUntaken(value)
        refuse(step)
        return .step(step)
    }
}

extension Value {
    /// One line of text.
    fileprivate func line() -> String? {
        guard let text = text("one line of text") else { return nil }
        guard text.count <= 100, text == Printable.line(text) else {
            problem("expected one line of at most 100 characters, found \(Name.quoted(text))")
            return nil
        }
        return text
    }
}
