import KilnModel
import KilnSystem

/// What a trainee has come to: the lesson that is begun, and those that are done.
///
/// One lesson is begun at a time. A trainee's terminal shows one lab, 'check' needs no name, and a laptop has the memory for it.
public struct LessonRecord: Sendable, Hashable, Codable {
    /// The lesson that is begun.
    public struct Current: Sendable, Hashable, Codable {
        /// Its name.
        public let lesson: Name
        /// Which of its tasks is to be done, from 1.
        public internal(set) var task = 1
        /// How many of that task's hints were shown.
        public internal(set) var hints = 0
        /// Whether that task was found done.
        public internal(set) var isDone = false
        /// Whether its lab was made; one that is not is what a killed command left.
        public internal(set) var isReady = false
        /// The folder that it was begun from, where that was named; nothing where its name alone finds it.
        public internal(set) var folder: String?

        enum CodingKeys: String, CodingKey {
            case lesson, task, hints, folder
            case isDone = "done"
            case isReady = "ready"
        }

        /// The command that begins it anew, as it can be pasted.
        public var start: String { "kiln learn start \(folder.map(ShellWords.quoted) ?? lesson.text)" }
    }

    private var format = RecordFormat()
    /// The lesson that is begun; nothing for none.
    public private(set) var current: Current?
    /// The lessons that are done.
    public private(set) var done: [Name] = []

    /// That of somebody who has begun nothing.
    public init() {}
}

// MARK: - What happens

extension LessonRecord {
    /// Begins a lesson, or the same once more that could not be made ready.
    ///
    /// - Parameter folder: where it is, if its name alone does not find it.
    /// - Throws: `learn.other` where another is begun.
    public mutating func begin(_ lesson: Name, from folder: String? = nil) throws(KilnError) {
        if let other = current?.lesson, other != lesson {
            throw KilnError(
                .learnOther,
                "the lesson '\(lesson)': no other lesson expected, '\(other)' found, which is begun and not done",
                hint: "go on with it ('kiln learn check'), or give it up: 'kiln learn reset'",
                exit: .usage
            )
        }
        current = Current(lesson: lesson, folder: folder)
    }

    /// Its lab is there.
    public mutating func becomeReady() { current?.isReady = true }

    /// The task was looked at; what was done once stays so.
    public mutating func judge(isDone: Bool) { if isDone { current?.isDone = true } }

    /// One hint more; the last stays the last.
    public mutating func takeHint() {
        guard let shown = current?.hints else { return }
        current?.hints = min(shown + 1, LessonTask.hintCount)
    }

    /// Goes on to the next task.
    ///
    /// - Returns: whether there is one; without one the lesson is at its end.
    /// - Throws: `learn.not-done` where the present one is not done.
    public mutating func advance(of count: Int) throws(KilnError) -> Bool {
        guard let now = current else { throw LessonRecord.noLesson }
        guard now.isDone else {
            throw KilnError(
                .learnNotDone,
                "task \(now.task) of '\(now.lesson)': done expected, 'kiln learn check' has not found it so yet",
                hint: "see what is missing with 'kiln learn check', or have it done: 'kiln learn solve'",
                exit: .unmet
            )
        }
        guard now.task < count else { return false }
        current?.task = now.task + 1
        current?.hints = 0
        current?.isDone = false
        return true
    }

    /// The lesson is over.
    public mutating func end(isDone: Bool) {
        guard let lesson = current?.lesson else { return }
        if isDone, !done.contains(lesson) { done = (done + [lesson]).sorted() }
        current = nil
    }

    /// The lesson that is begun.
    ///
    /// - Throws: `learn.none`, or `learn.not-ready` where its lab was not made whole.
    public func begun() throws(KilnError) -> Current {
        guard let current else { throw LessonRecord.noLesson }
        guard current.isReady else {
            throw KilnError(
                .learnNotReady,
                "the lesson '\(current.lesson)': a whole setting expected, found one whose making broke off",
                hint: "make it anew: '\(current.start)'",
                exit: .blocked
            )
        }
        return current
    }

    private static var noLesson: KilnError {
        KilnError(
            .learnNone,
            "a lesson that is begun expected, none found",
            hint: "choose one with 'kiln learn', then 'kiln learn start NAME'",
            exit: .usage
        )
    }
}
