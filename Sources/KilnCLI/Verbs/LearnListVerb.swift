import ArgumentParser
import KilnModel
import KilnScenarios

/// `kiln learn list`: the lessons that there are.
struct LearnListVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the lessons, how long each takes, and which of them are done."
    )

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let path = SearchPath(.lessons)
        if let leftOut = path.leftOut { session.say(leftOut) }
        let list = LessonList(path: path, record: try await LessonDesk(session).book.record())
        try session.show(list)
        if let next = list.next { session.say("next: \(next)") }
        return 0
    }
}

/// The lessons in the folders of a search path, and what became of them.
struct LessonList: Renderable {
    struct Item: Encodable {
        let lesson: Name
        /// Nothing where its file is not understood.
        let title: String?
        let about: String?
        let minutes: Int?
        let tasks: Int?
        let state: State
        let folder: String
    }

    enum State: String, Encodable {
        case done, begun, new
    }

    let items: [Item]

    init(path: SearchPath, record: LessonRecord) {
        items = LessonDesk.lessons(in: path).map { name, folder, lesson in
            let isBegun = record.current?.lesson == name
            return Item(
                lesson: name,
                title: lesson?.title,
                about: lesson?.about,
                minutes: lesson?.minutes,
                tasks: lesson?.tasks.count,
                state: isBegun ? .begun : record.done.contains(name) ? .done : .new,
                folder: folder
            )
        }
    }

    var payload: [String: [Item]] { ["lessons": items] }

    /// What a trainee can do now; nothing where all lessons are done.
    var next: String? {
        if let begun = items.first(where: { $0.state == .begun }) {
            return "'kiln learn start \(begun.lesson)' tells the task of the lesson that is begun"
        }
        return items.first { $0.state == .new }.map { "begin a lesson: 'kiln learn start \($0.lesson)'" }
    }

    var human: HumanView {
        .table(
            TextTable(
                header: ["lesson", "title", "minutes", "state"],
                rows: items.map {
                    [
                        $0.lesson.text, $0.title ?? "not understood: 'kiln learn lint \($0.lesson)'",
                        $0.minutes.map(String.init) ?? "-", $0.state.rawValue,
                    ]
                }
            ),
            empty: "no lessons"
        )
    }
}
