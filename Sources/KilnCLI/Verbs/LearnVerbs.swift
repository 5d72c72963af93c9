import ArgumentParser
import KilnDocuments
import KilnModel
import KilnScenarios

/// `kiln learn`: lessons, which teach the pattern by tasks that are checked.
struct LearnVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "learn",
        abstract: "Learn by doing: lessons with tasks, checks, hints and solutions.",
        discussion: """
            Without more it lists the lessons. 'learn start NAME' makes a lab and tells the first task; work on it with any verb \
            of kiln's, then 'learn check'. One lesson is begun at a time, and goes on after whatever came between.
            """,
        subcommands: [
            LearnListVerb.self, LearnStartVerb.self, LearnCheckVerb.self, LearnHintVerb.self, LearnSolveVerb.self,
            LearnNextVerb.self, LearnResetVerb.self, LearnLintVerb.self,
        ],
        defaultSubcommand: LearnListVerb.self
    )
}

/// `kiln learn lint`: everything that is wrong with lessons.
struct LearnLintVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Name every problem of lessons and their lab files, with its line and column."
    )

    @Argument(help: "The lessons: their folders, or names.", completion: .lessons)
    var lessons: [String]

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let folders = try lessons.map { try LessonDesk.folder(of: $0, session) }
        let result = await LintResult(folders) { folder async throws(InvalidFile) in
            let lesson = try LessonFile.lesson(in: folder, images: KnownImages.manifest)
            let problems = lesson.commandProblems
            if !problems.isEmpty { throw InvalidFile(problems: problems) }
            return lesson.warnings
        }
        try session.show(result)
        return result.status
    }
}
