import KilnDocuments
import KilnModel

/// The fields of a lesson's file.
enum LessonFields: String, FileField {
    case format = "kiln-lesson"
    case title, about, minutes, order, setting, tasks, finally

    static let required: [LessonFields] = [.format, .title, .about, .minutes, .setting, .tasks]

    var schema: JSONValue {
        switch self {
        case .format: ["const": 1, "description": "The version of the format."]
        case .title: Schema.text("What it is called, in a few words.")
        case .about: Schema.text("What is learnt, in a sentence or two.")
        case .minutes: Schema.whole(1...240, "About how long it takes.")
        case .order: Schema.whole(1...1000, "Where it stands among the lessons; without it after those that have one.")
        case .setting:
            Schema.titled("setting", Schema.object(LessonSettingFields.self, "Where it takes place."))
        case .tasks:
            Schema.list(
                of: Schema.titled("task", Schema.object(LessonTaskFields.self, "One thing to do.")),
                "What there is to do, in order."
            )
        case .finally:
            Schema.list(
                of: LessonSchema.command("A command."),
                "Commands at its end, also where it is given up, for what is changed outside of its lab; each may fail."
            )
        }
    }
}

/// The fields of a lesson's setting.
enum LessonSettingFields: String, FileField {
    case lab, images, up, steps

    static let required: [LessonSettingFields] = [.lab]

    var schema: JSONValue {
        switch self {
        case .lab: Schema.text("The lab file, relative to this one; its name is that of the lesson's folder.")
        case .images: Schema.list(of: Schema.image("An image."), "The images that its tasks need besides the lab's.")
        case .up: Schema.list(of: Schema.name("A server."), "The servers that are up at its beginning; all without it.")
        case .steps: StepSchema.list("What is done to them before the first task.")
        }
    }
}

/// The fields of one task.
enum LessonTaskFields: String, FileField {
    case title, text, check, hints, solution, read

    static let required = LessonTaskFields.allCases

    var schema: JSONValue {
        switch self {
        case .title: Schema.text("What it is called, in a few words.")
        case .text: Schema.text("What there is to do. '${folder}' stands for the folder in which the trainee works.")
        case .check: StepSchema.list("What holds once it is done, and not before: steps expect, exec and http.")
        case .hints: Schema.list(of: Schema.text("A hint."), atLeast: LessonTask.hintCount, "Two hints.")
        case .solution:
            Schema.list(
                of: Schema.either(
                    [
                        LessonSchema.command("A command that ends with 0."),
                        Schema.object(LessonCommandFields.self, "A command that ends otherwise."),
                        StepSchema.reference,
                    ],
                    "A command, or a step where none can do it."
                ),
                "What does the task, in order."
            )
        case .read: Schema.text("What to look at once it is done.")
        }
    }
}

/// The JSON Schema of lesson files, for editors.
public enum LessonSchema {
    /// The schema, draft 2020-12.
    public static var document: JSONValue {
        let about = "A lesson of Kiln."
        guard case .object(var map) = Schema.document(LessonFields.self, title: "Kiln lesson", about) else {
            return .null
        }
        map["$defs"] = .object([StepSchema.definition: StepSchema.step])
        return .object(map)
    }

    /// The fields of a lesson, without what steps are made of: that is told for scenarios.
    public static var fields: JSONValue {
        Schema.document(LessonFields.self, title: "Kiln lesson", "A lesson of Kiln.")
    }

    /// A command of kiln's.
    static func command(_ about: String) -> JSONValue { Schema.pattern("^kiln .+$", about) }
}
