import Foundation
import KilnModel
import KilnScenarios

/// One task of a lesson, and how to go on.
struct LessonView: Renderable {
    struct Payload: Encodable {
        let lesson: Name
        let title: String
        let about: String
        let task: Int
        let of: Int
        let taskTitle: String
        let text: String
        let done: Bool
        /// Where the files are that the trainee may change.
        let folder: String

        enum CodingKeys: String, CodingKey {
            case lesson, title, about, task, of, text, done, folder
            case taskTitle = "task_title"
        }
    }

    let payload: Payload
    /// Whether the lesson itself is told, too.
    private let isBeginning: Bool
    private let minutes: Int

    /// - Parameter folder: the trainee's.
    init(_ lesson: Lesson, _ current: LessonRecord.Current, folder: String, isBeginning: Bool) {
        // A record that names no task of it is refused by whoever changes something.
        let index = min(max(current.task, 1), lesson.tasks.count) - 1
        let task = lesson.tasks[index]
        payload = Payload(
            lesson: lesson.name,
            title: lesson.title,
            about: lesson.about,
            task: current.task,
            of: lesson.tasks.count,
            taskTitle: task.title,
            text: task.text.replacing(Lesson.folderMark, with: folder),
            done: current.isDone,
            folder: folder
        )
        self.isBeginning = isBeginning
        minutes = lesson.minutes
    }

    var human: HumanView {
        let start = [
            "\(payload.title) (\(payload.of) tasks, about \(minutes) minutes)", payload.about.trimmed,
            "files to work on: \(payload.folder)", "",
        ]
        let next =
            payload.done
            ? "done already: 'kiln learn next'"
            : "then: 'kiln learn check'; stuck: 'kiln learn hint', 'kiln learn solve'"
        let task = [
            "Task \(payload.task) of \(payload.of): \(payload.taskTitle)", "", payload.text.trimmed, "", next,
        ]
        return .lines((isBeginning ? start : []) + task)
    }
}

/// What 'learn check' found.
struct CheckedTask: Renderable {
    struct Payload: Encodable {
        let lesson: Name
        let task: Int
        let of: Int
        let done: Bool
        let checks: [StepResult]
        /// What to look at now; nothing before it is done.
        let read: String?
    }

    let payload: Payload
    private let style: Style

    init(
        _ lesson: Lesson,
        _ current: LessonRecord.Current,
        _ outcome: LessonRun.Outcome,
        folder: String,
        style: Style
    ) {
        let index = min(max(current.task, 1), lesson.tasks.count) - 1
        payload = Payload(
            lesson: lesson.name,
            task: current.task,
            of: lesson.tasks.count,
            done: outcome.isPassed,
            checks: outcome.results,
            read: outcome.isPassed
                ? lesson.tasks[index].read.replacing(Lesson.folderMark, with: folder).trimmed : nil
        )
        self.style = style
    }

    var human: HumanView {
        let checks = payload.checks.flatMap(CheckedTask.lines(of:))
        let verdict =
            "task \(payload.task) of \(payload.of) of '\(payload.lesson)' is \(payload.done ? "done" : "not done yet")"
        guard payload.done else { return .lines([verdict] + checks + ["help: 'kiln learn hint'"]) }
        let read = payload.read.map { ["", $0, ""] } ?? []
        let next =
            payload.task < payload.of ? "the next task" : "the end of the lesson, whose lab, volumes and folder go"
        return .lines([verdict] + checks + read + ["next: 'kiln learn next', \(next)"])
    }

    /// What a check found; an error has its cause and what to do next on lines of their own.
    static func lines(of result: StepResult) -> [String] {
        let isMet = result.outcome == .passed
        let found = isMet ? "" : result.detail.map { ": \($0)" } ?? ""
        let mark = isMet ? "  done     " : "  not yet  "
        let lines = (result.name + found).split(separator: "\n").map { ConsoleText.singleLine(String($0)) }
        return lines.enumerated().map { ($0 == 0 ? mark : String(repeating: " ", count: mark.count)) + $1 }
    }
}

/// The hints that were shown of a task.
struct ShownHints: Renderable {
    struct Payload: Encodable {
        let lesson: Name
        let task: Int
        let of: Int
        let hints: [String]
    }

    let payload: Payload

    init(lesson: Name, task: Int, of: Int, hints: [String]) {
        payload = Payload(lesson: lesson, task: task, of: of, hints: hints)
    }

    var human: HumanView {
        let hints = payload.hints.enumerated().map { "hint \($0 + 1) of \(payload.of): \($1.trimmed)" }
        let next = payload.hints.count < payload.of ? "one more: 'kiln learn hint'" : "the way: 'kiln learn solve'"
        return .lines(hints + [next])
    }
}

/// A task that kiln has done.
struct SolvedTask: Renderable {
    struct Payload: Encodable {
        let lesson: Name
        let task: Int
        /// What was done, in order.
        let solution: [String]
    }

    let payload: Payload

    init(lesson: Name, task: Int, acts: [String]) { payload = Payload(lesson: lesson, task: task, solution: acts) }

    var human: HumanView {
        .lines(
            ["task \(payload.task) of '\(payload.lesson)' was done by:"]
                + payload.solution.map { "  " + ConsoleText.singleLine($0) } + ["next: 'kiln learn check'"]
        )
    }
}

/// A lesson that is over.
struct EndedLesson: Renderable {
    struct Payload: Encodable {
        let lesson: Name
        let done: Bool
        /// What can be begun now.
        let next: Name?
    }

    let payload: Payload
    private let start: String?

    /// - Parameter start: the command that begins the next one; by its name without it.
    init(lesson: Name, isDone: Bool, next: Name?, start: String? = nil) {
        payload = Payload(lesson: lesson, done: isDone, next: next)
        self.start = start ?? next.map { "kiln learn start \($0)" }
    }

    var human: HumanView {
        let what = payload.done ? "is done" : "was given up"
        let next = start.map { "next: '\($0)'" } ?? "all lessons are done"
        return .lines(["the lesson '\(payload.lesson)' \(what); its lab and what its volumes held are removed", next])
    }
}

extension String {
    /// Without the empty lines at its ends.
    fileprivate var trimmed: String { trimmingCharacters(in: .newlines) }
}
