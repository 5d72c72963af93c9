import Foundation
import KilnDocuments
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnScenarios

/// A lesson in a folder of its own.
struct LessonFixture {
    static let lab = """
        kiln: 1
        name: small
        lab:
          volumes: { data: { size: 64MiB } }
          servers:
            web:
              image: tiny:1
              volumes: { data: /data }
              ports: { http: 80 }
              ready: [agent, cloud-init]
              ready-timeout: 100s

        """

    static let lesson = """
        kiln-lesson: 1
        title: A small lesson
        about: What is learnt.
        minutes: 5
        order: 3
        setting:
          lab: lab.yaml
          images: ["tiny:2"]
          up: [web]
          steps: [{ exec: { server: web, command: ["true"] } }]
        tasks:
          - title: Replace it
            text: Work in ${folder}.
            check: [{ expect: { server: web, generation: 2 } }, { expect: { server: web, image: "tiny:2" } }]
            hints: [one, "two: ${folder}"]
            solution: ["kiln replace small/web --image tiny:2"]
            read: The history.
          - title: Go back
            text: Go back.
            check: [{ expect: { server: web, image: "tiny:1" } }]
            hints: [one, two]
            solution:
              - { command: "kiln drift small/web", exit: 1 }
              - rollback: { server: web }
            read: The end.
        finally: ["kiln image restore tiny:2"]

        """

    /// Writes a lesson named `small`; returns its folder.
    static func write(_ lesson: String = lesson, lab: String = lab, in folder: String) throws -> String {
        let own = folder + "/small"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        try Data(lesson.utf8).write(to: URL(fileURLWithPath: "\(own)/\(LessonFile.name)"))
        try Data(lab.utf8).write(to: URL(fileURLWithPath: own + "/lab.yaml"))
        return own
    }
}

extension LessonAct {
    fileprivate var command: LessonCommand? { if case .command(let command) = self { command } else { nil } }
}

@Suite("Lessons in files")
struct LessonFileTests {
    private static let lessons = SchemaTests.folder.appending(path: "lessons").path
    private let checker = SchemaChecker(LessonSchema.document)

    /// What is wrong with a lesson, each as `FILE:line:column: path: message`, with the file's last part only.
    private func problems(_ lesson: String, lab: String = LessonFixture.lab) throws -> [String] {
        try withFolder { folder in
            let own = try LessonFixture.write(lesson, lab: lab, in: folder.path)
            do {
                _ = try LessonFile.lesson(in: own)
                return []
            } catch let error as InvalidFile {
                return error.problems.map { $0.description.replacing(own + "/", with: "") }
            }
        }
    }

    @Test("a lesson is read with its setting, its tasks, and commands as words")
    func whole() throws {
        let lesson = try withFolder { try LessonFile.lesson(in: LessonFixture.write(in: $0.path)) }
        #expect(lesson.name.text == "small" && lesson.minutes == 5 && lesson.order == 3)
        #expect(lesson.setting.servers.map(\.text) == ["web"] && lesson.setting.steps.count == 1)
        #expect(lesson.setting.neededImages.map(\.description).sorted() == ["tiny:1", "tiny:2"])
        #expect(lesson.tasks.map(\.title) == ["Replace it", "Go back"])
        #expect(lesson.tasks[0].check.count == 2 && lesson.tasks[0].hints.count == 2)
        let first = try #require(lesson.tasks[0].solution[0].command)
        #expect(first.words == ["replace", "small/web", "--image", "tiny:2"] && first.exit == 0)
        #expect(lesson.tasks[1].solution[0].command?.exit == 1)
        guard case .step(let step) = lesson.tasks[1].solution[1] else {
            Issue.record("no step")
            return
        }
        #expect(step.kind == "rollback")
        #expect(lesson.finally.map(\.exit) == [nil])
        // One machine more than its lab has, as a rehearsal takes.
        #expect(lesson.demand { _ in nil } == .mebibytes(1024))
    }

    @Test("everything that is wrong with a lesson and with its lab is told at once, with its place")
    func allProblems() throws {
        let text = LessonFixture.lesson
            .replacing("minutes: 5", with: "minutes: soon")
            .replacing("hints: [one, \"two: ${folder}\"]", with: "hints: [one]")
            .replacing("kiln replace small/web --image tiny:2", with: "rm -rf /")
            .replacing("generation: 2", with: "generaton: 2")
            .replacing("rollback: { server: web }", with: "rollback: { server: wbe }")
        let found = try problems(text, lab: LessonFixture.lab.replacing("64MiB", with: "64"))
        let places = found.map { $0.prefix { $0 != " " } }
        #expect(
            places == [
                "lesson.yaml:4:10:", "lesson.yaml:14:23:", "lesson.yaml:14:38:", "lesson.yaml:15:12:",
                "lesson.yaml:16:16:",
                "lesson.yaml:24:29:", "lab.yaml:4:28:",
            ],
            "\(found)"
        )
        #expect(found[2].contains("did you mean 'generation'?") && found[3].contains("two hints"))
        #expect(found[4].contains("kiln replace LAB/web") && found[5].contains("did you mean 'web'?"))
    }

    @Test(
        "what a lesson can't have is refused by what to write instead",
        arguments: [
            ("name: small", "name: other", "the name of this lesson, 'small'"),
            ("steps: [{ exec", "steps: [up, { exec", "'kiln up' is a command"),
            ("[{ expect: { server: web, image: \"tiny:1\" } }]", "[{ stop: [web] }]", "a step that only looks"),
            (
                "rollback: { server: web }", "fault: { kill-libvirtd: {} }\n        finally: [{ note: a }]",
                "breaks nothing of the host"
            ),
            ("kiln replace small/web --image tiny:2", "kiln learn reset", "found one on lessons"),
            ("kiln replace small/web --image tiny:2", "kiln ps | cat", "found '|'"),
            ("kiln replace small/web --image tiny:2", "kiln exec small/web -- 'a", "not closed"),
            ("kiln-lesson: 1", "kiln-lesson: 2", "use a newer kiln"),
            ("kiln-lesson: 1", "kiln: 1", "kiln scenario lint"),
            ("lab: lab.yaml", "lab: gone.yaml", "can't be read"),
            ("lab: lab.yaml", "lab: ../small/lab.yaml", "a file in the lesson's own folder"),
            ("exit: 1", "exit: some", "a whole number from 0 to 255"),
            ("up: [web]", "up: [db]", "the name of a server"),
            ("text: Go back.", "colour: red", "unknown field"),
        ]
    )
    func refused(old: String, new: String, message: String) throws {
        let isLab = LessonFixture.lab.contains(old) && !LessonFixture.lesson.contains(old)
        let found =
            isLab
            ? try problems(LessonFixture.lesson, lab: LessonFixture.lab.replacing(old, with: new))
            : try problems(LessonFixture.lesson.replacing(old, with: new))
        #expect(found.contains { $0.contains(message) }, "\(found)")
    }

    @Test(
        "a command's words are those that a shell would make of the line",
        arguments: [
            (
                "kiln exec a/web -- sh -c 'echo \"x\" > /y; sync'",
                ["kiln", "exec", "a/web", "--", "sh", "-c", "echo \"x\" > /y; sync"]
            ),
            ("kiln  up -f ${folder}/lab.yaml", ["kiln", "up", "-f", "${folder}/lab.yaml"]),
            ("kiln a 'b'\"c d\" ''", ["kiln", "a", "bc d", ""]),
            ("kiln cp '${folder}/a b' c", ["kiln", "cp", "${folder}/a b", "c"]),
        ]
    )
    func words(line: String, words: [String]) throws {
        #expect(try LessonCommand.words(of: line) == words)
    }

    @Test("a command that the trainee may have done already may end as it will")
    func anyEnd() throws {
        let text = LessonFixture.lesson.replacing("exit: 1", with: "exit: any")
        #expect(try checker.problems(text) == [])
        let lesson = try withFolder { try LessonFile.lesson(in: LessonFixture.write(text, in: $0.path)) }
        let command = try #require(lesson.tasks[1].solution[0].command)
        #expect(command.line == "kiln drift small/web" && command.exit == nil)
    }

    @Test("the folder is put into the words and into the line that is shown")
    func folder() throws {
        let lesson = try withFolder {
            try LessonFile.lesson(
                in: LessonFixture.write(
                    LessonFixture.lesson.replacing(
                        "kiln replace small/web --image tiny:2",
                        with: "kiln up -f ${folder}/a"
                    ),
                    in: $0.path
                )
            )
        }
        let command = try #require(lesson.tasks[0].solution[0].command)
        #expect(command.words(in: "/x y") == ["up", "-f", "/x y/a"] && command.line(in: "/x") == "kiln up -f /x/a")
    }

    @Test("every lesson of the project is read without a warning, follows the schema, and has an order of its own")
    func shipped() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.lessons).filter { !$0.contains(".") }
        #expect(names.count >= 10)
        var orders: Set<Int> = []
        for name in names {
            let lesson = try LessonFile.lesson(in: "\(Self.lessons)/\(name)")
            #expect(lesson.warnings.isEmpty, "\(name)")
            #expect(orders.insert(lesson.order).inserted, "\(name)")
            let text = try String(contentsOfFile: "\(Self.lessons)/\(name)/\(LessonFile.name)", encoding: .utf8)
            #expect(try checker.problems(text) == [], "\(name)")
            for file in try FileManager.default.contentsOfDirectory(atPath: "\(Self.lessons)/\(name)")
            where file != LessonFile.name {
                #expect(try ScenarioFile.lab(at: "\(Self.lessons)/\(name)/\(file)").name == lesson.name, "\(file)")
            }
        }
    }

    @Test(
        "what the decoder refuses for its structure, the schema refuses",
        arguments: [
            ("minutes: 5", "minutes: 0"), ("title: Go back", "titel: Go back"), ("hints: [one, two]", "hints: [one]"),
            ("kiln replace small/web --image tiny:2", "rm -rf /"), ("lab: lab.yaml", "labs: lab.yaml"),
            ("exit: 1", "exit: 256"), ("up: [web]", "up: []"), ("order: 3", "order: first"),
        ]
    )
    func structure(old: String, new: String) throws {
        #expect(try checker.problems(LessonFixture.lesson).isEmpty)
        let text = LessonFixture.lesson.replacing(old, with: new)
        #expect(try !checker.problems(text).isEmpty)
        #expect(try !problems(text).isEmpty)
    }
}
