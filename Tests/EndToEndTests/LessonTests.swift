import Foundation
import Testing

/// A lesson, and how its server's operations have to have ended once it is solved.
///
/// So a solution does the task: what only makes the check pass leaves another history.
struct SolvedLesson: Sendable, CustomTestStringConvertible {
    let name: String
    let outcomes: [String]

    var testDescription: String { name }

    static let all = [
        SolvedLesson(name: "first-replacement", outcomes: ["committed", "committed", "committed"]),
        SolvedLesson(name: "snowflake", outcomes: ["committed", "committed"]),
        SolvedLesson(name: "lose-data", outcomes: ["committed"]),
        SolvedLesson(name: "below-the-mount", outcomes: ["committed", "committed"]),
        SolvedLesson(name: "volumes", outcomes: ["committed"]),
        SolvedLesson(name: "migration", outcomes: ["committed", "reverted", "reverted"]),
        SolvedLesson(name: "rehearsal", outcomes: ["committed", "committed"]),
        SolvedLesson(name: "bad-image", outcomes: ["committed", "reverted", "committed"]),
        SolvedLesson(name: "killed", outcomes: ["committed", "aborted", "committed"]),
        SolvedLesson(name: "promotion", outcomes: ["committed", "committed", "committed"]),
        SolvedLesson(name: "warm-first", outcomes: ["committed", "committed", "committed"]),
        SolvedLesson(name: "healing", outcomes: ["committed", "reverted"]),
    ]

    /// Those that 'make test' takes.
    static let short = all.filter { ["snowflake", "volumes"].contains($0.name) }
}

extension EndToEnd {
    @Suite("Lessons", .lane, .serialized, .timeLimit(.minutes(60)))
    struct Lessons {
        @Test(
            "in a short lesson each check fails before its solution and passes after it, and nothing is left",
            arguments: SolvedLesson.short
        )
        func short(_ lesson: SolvedLesson) async throws { try await live(lesson) }

        @Test(
            "in every lesson each check fails before its solution and passes after it, and nothing is left",
            arguments: SolvedLesson.all
        )
        func all(_ lesson: SolvedLesson) async throws { try await live(lesson) }

        @Test("the table of this suite has every lesson, so that none is added that nobody solves")
        func complete() throws {
            let folder = "\(Home.checkout)/Scenarios/lessons"
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.contains(".") }
            #expect(names.sorted() == SolvedLesson.all.map(\.name).sorted())
        }

        private func live(_ lesson: SolvedLesson) async throws {
            let home = try #require(Home.shared)
            let start = try await home.run(
                "learn",
                "start",
                "\(Home.checkout)/Scenarios/lessons/\(lesson.name)",
                "--format",
                "json"
            )
            try #require(start.status == 0, "\(start.errors)")
            let count = try start.json(ShownTask.self).of
            for task in 1...count {
                let before = try await home.run("learn", "check", "--format", "json")
                try #require(before.status == 1, "\(lesson.name), task \(task), before: \(before.text)\(before.errors)")
                #expect(try before.json(CheckReport.self).checks.contains { $0.outcome == "failed" })
                let solve = try await home.run("learn", "solve")
                try #require(solve.status == 0, "\(lesson.name), task \(task), solve: \(solve.errors)")
                let after = try await home.run("learn", "check", "--format", "json")
                try #require(after.status == 0, "\(lesson.name), task \(task), after: \(after.text)\(after.errors)")
                if task == count { try await expectHistory(lesson, home) }
                let next = try await home.run("learn", "next")
                try #require(next.status == 0, "\(lesson.name), task \(task), next: \(next.errors)")
            }
            try await expectNothingLeft(home)
        }

        private func expectHistory(_ lesson: SolvedLesson, _ home: Home) async throws {
            let history = try await home.run("history", "\(lesson.name)/web", "--format", "json")
            #expect(try history.json(History.self).operations.map(\.outcome) == lesson.outcomes, "\(lesson.name)")
        }
    }
}

/// What 'learn start' says in JSON.
private struct ShownTask: Decodable {
    let of: Int
}

/// What 'learn check' says in JSON.
private struct CheckReport: Decodable {
    struct Check: Decodable {
        let name: String
        let outcome: String
    }

    let done: Bool
    let checks: [Check]
}

/// What 'history' says in JSON.
private struct History: Decodable {
    struct Operation: Decodable {
        let outcome: String?
    }

    let operations: [Operation]
}
