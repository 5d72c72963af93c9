import KilnDocuments
import KilnModel

/// Something to learn by doing it: a lab, and tasks in it that are checked.
public struct Lesson: Sendable {
    /// What it is called, which is also what its lab is called.
    public let name: Name
    /// The folder that it lies in.
    public let folder: String
    /// Its title, in a few words.
    public let title: String
    /// What is learnt, in a sentence or two.
    public let about: String
    /// About how long it takes.
    public let minutes: Int
    /// Where it stands among lessons.
    public let order: Int
    /// Where it takes place.
    public let setting: LessonSetting
    /// What there is to do, in order; never empty.
    public let tasks: [LessonTask]
    /// What puts back what its tasks change outside of its lab.
    public let finally: [LessonCommand]
    /// What may be wrong with its files.
    public let warnings: [Problem]

    /// What stands in its texts for the folder in which a trainee works.
    public static let folderMark = "${folder}"
}

/// Where a lesson takes place.
public struct LessonSetting: Sendable {
    /// Its lab.
    public let lab: LabSpec
    /// The servers that are up when it begins.
    public let servers: [Name]
    /// The images that it needs besides those of its lab.
    public let images: [ImageReference]
    /// What is done before the first task.
    public let steps: [PlacedStep]

    /// All images that it needs.
    public var neededImages: Set<ImageReference> { Set(images + lab.servers.values.map(\.image)) }
}

/// One thing to do.
public struct LessonTask: Sendable {
    /// What it is called.
    public let title: String
    /// What there is to do.
    public let text: String
    /// What holds once it is done.
    public let check: [PlacedStep]
    /// The way there, first in which direction, then nearly all of it.
    public let hints: [String]
    /// What does it.
    public let solution: [LessonAct]
    /// What to look at afterwards.
    public let read: String

    /// How many hints each has.
    public static let hintCount = 2
}

/// One part of a solution.
public enum LessonAct: Sendable {
    /// A command, as a trainee would type it.
    case command(LessonCommand)
    /// A step, where a command can't do it.
    case step(PlacedStep)

    /// What it does, in words.
    public var description: String {
        switch self {
        case .command(let command): command.line
        case .step(let step): "\(step)"
        }
    }
}

extension Lesson {
    /// What runs of it take at most: its lab, and one more machine of its largest server, as in a rehearsal.
    ///
    /// - Parameter size: what is known of an image, which decides where the lab doesn't say.
    public func demand(_ size: (ImageReference) -> MachineSize?) -> ByteCount {
        let servers = setting.lab.servers.values.map { server in
            (server.memory ?? size(server.image)?.memory ?? Scenario.usualMemory).bytes
        }
        let all = (servers + [servers.max() ?? 0]).reduce(UInt64(0)) { sum, bytes in
            sum.addingReportingOverflow(bytes).overflow ? .max : sum + bytes
        }
        return ByteCount(bytes: all)
    }

    /// The scenario whose run performs some of its steps.
    func scenario(of steps: [PlacedStep]) -> Scenario {
        Scenario(name: name, about: about, lab: setting.lab, steps: steps)
    }

    /// All steps of its file.
    var steps: [PlacedStep] {
        setting.steps
            + tasks.flatMap { task in
                task.check
                    + task.solution.compactMap { act in
                        if case .step(let step) = act { step } else { nil }
                    }
            }
    }
}
