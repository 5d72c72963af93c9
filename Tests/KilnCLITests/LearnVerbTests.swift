import Foundation
import KilnEngine
import KilnModel
import KilnScenarios
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnCLI

@Suite("kiln learn, on a fake world")
struct LearnVerbTests {
    private let session: WorldSession
    private var world: FakeWorld { session.world }
    private var book: LessonBook { LessonBook(root: world.state.lessons) }

    init() throws {
        session = try WorldSession()
        _ = try write("small")
    }

    private static let lab = """
        kiln: 1
        name: NAME
        lab:
          volumes: { data: { size: 64MiB } }
          servers: { web: { image: "tiny:1", volumes: { data: /data }, ready: [agent, cloud-init], ready-timeout: 100s } }

        """

    private static let lesson = """
        kiln-lesson: 1
        title: A small lesson
        about: What is learnt.
        minutes: 5
        setting: { lab: lab.yaml, images: ["tiny:2"], steps: [{ exec: { server: web, command: ["true"] } }] }
        tasks:
          - title: Replace it
            text: Work in ${folder}.
            check: [{ name: the second generation serves, expect: { server: web, generation: 2, image: "tiny:2" } }]
            hints: [the first, the second]
            solution: [kiln replace NAME/web --image tiny:2]
            read: The history of ${folder}.
          - title: Stop it
            text: Stop it.
            check: [{ expect: { server: web, generation: 3 } }]
            hints: [the third, the fourth]
            solution: [{ rollback: { server: web } }]
            read: The end.

        """

    private func write(_ name: String, _ text: String = LearnVerbTests.lesson) throws -> String {
        let folder = "\(world.root)/lessons/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (file, content) in [("lab.yaml", Self.lab), (LessonFile.name, text)] {
            let content = content.replacing("NAME", with: name)
            try Data(content.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(file)"))
        }
        return folder
    }

    private var folder: String { "\(world.root)/lessons/small" }

    private func learn(_ line: String...) async throws -> WorldSession.Ending {
        try await session.run(["learn"] + line)
    }

    private struct Failure: Decodable, Sendable {
        struct Problem: Decodable, Sendable {
            let code: String
            let message: String
            let hint: String?
        }
        let error: Problem
    }

    private func failure(_ line: String...) async throws -> (status: Int32, problem: Failure.Problem) {
        let ending = try await session.run(["learn"] + line + ["--format", "json"])
        return (ending.status, try ending.json(Failure.self).error)
    }

    @Test("each task is not done, is solved, is done; the lesson ends without a trace, and is known as done")
    func life() async throws {
        let start = try await learn("start", folder)
        #expect(start.status == 0 && start.output.contains("Task 1 of 2: Replace it"), "\(start)")
        #expect(start.output.contains("Work in \(book.folder(of: try Name("small")))."))
        for task in 1...2 {
            let before = try await learn("check")
            #expect(before.status == 1 && before.output.contains("task \(task) of 2 of 'small' is not done yet"))
            #expect(before.output.contains("expected,"), "it says what was expected and found: \(before.output)")
            #expect(try await learn("next").status == 1)
            let solve = try await learn("solve")
            #expect(solve.status == 0, "\(solve)")
            let after = try await learn("check")
            #expect(after.status == 0 && after.output.contains("is done"), "\(after)")
            #expect(try await learn("next").status == 0)
        }
        #expect(world.hypervisor.alive.isEmpty)
        let left = try await session.kiln("volume", "list", "--format", "json").output
        #expect(!left.contains("small"), "\(left)")
        #expect(try book.record().done.map(\.text) == ["small"] && book.record().current == nil)
        #expect(try !FileManager.default.fileExists(atPath: book.folder(of: Name("small"))))
    }

    @Test(
        "a lesson that is installed, and so another's, is begun by a copy that is one's own",
        .enabled(if: geteuid() == 0, "only root can give files away")
    )
    func installed() async throws {
        for file in ["", "/lab.yaml", "/\(LessonFile.name)"] { try #require(chown(folder + file, 65534, 65534) == 0) }
        #expect(try await learn("start", folder).status == 0)
        for place in [book.folder(of: try Name("small")), book.original(of: try Name("small"))] {
            var copy = stat()
            #expect(lstat("\(place)/lab.yaml", &copy) == 0 && copy.st_uid == geteuid(), "\(place)")
        }
    }

    @Test("what can be begun is told below the lessons; of one that is begun, how its task is told again")
    func whatNext() async throws {
        let path = SearchPath(.lessons, folder: "\(world.root)/lessons")
        func next() throws -> String { try #require(LessonList(path: path, record: book.record()).next) }
        #expect(try next().hasPrefix("begin a lesson: 'kiln learn start "))
        _ = try await learn("start", folder)
        #expect(try next() == "'kiln learn start small' tells the task of the lesson that is begun")
    }

    @Test("an error of a check has its cause and its next step on lines of their own")
    func lines() throws {
        let text = #"""
            {
              "id": "1", "kind": "exec", "place": { "file": "lesson.yaml", "line": 1, "column": 1, "path": "" }, "children": [],
              "name": "it answers", "outcome": "failed", "begin_ms": 0, "end_ms": 0, "ms": 0,
              "detail": "its machine is off\ncause: a \u001b[2J\nnext: start it"
            }
            """#
        let result = try JSONDecoder().decode(StepResult.self, from: Data(text.utf8))
        let lines = CheckedTask.lines(of: result)
        #expect(
            lines.count == 3 && lines[0] == "  not yet  it answers: its machine is off"
                && lines[2] == "           next: start it"
        )
        #expect(lines.allSatisfy { !$0.contains("\u{1b}") })
    }

    @Test("a solution is told by its commands, which change the lab as if they were typed; data is only the result")
    func solve() async throws {
        _ = try await learn("start", folder)
        let solve = try await learn("solve", "--format", "json")
        #expect(solve.errors.contains("$ kiln replace small/web --image tiny:2"), "\(solve.errors)")
        #expect(solve.output.contains("\"solution\" : [") && !solve.output.contains("committed"), "\(solve.output)")
        let history = try await session.kiln("history", "small/web")
        #expect(history.output.contains("1 → 2") && history.output.contains("committed"))
    }

    @Test("a solution whose command ends otherwise than it says is told, with both statuses")
    func unsolved() async throws {
        let text = Self.lesson.replacing(
            "[kiln replace NAME/web --image tiny:2]",
            with: "[{ command: kiln ps, exit: 3 }, kiln replace NAME/web --image tiny:2]"
        )
        _ = try await learn("start", try write("odd", text))
        let found = try await failure("solve")
        #expect(found.status == 10 && found.problem.code == "learn.solution-failed")
        #expect(found.problem.message.contains("'kiln ps': exit status 3 expected, 0 found"), "\(found.problem)")
        #expect(try await learn("check").status == 1, "what stands after it is not done")
    }

    @Test("an end that was killed is taken up again by the same verb")
    func killedEnd() async throws {
        _ = try await learn("start", folder)
        for _ in 1...2 {
            _ = try await learn("solve")
            _ = try await learn("check")
            // The lab is gone and nothing of that is written down, as where the second 'next' is killed.
            if try book.record().current?.task == 2 {
                try await world.engine.discard(exercise: try Name("small"))
            }
            #expect(try await learn("next").status == 0)
        }
        #expect(try book.record().done.map(\.text) == ["small"])
    }

    @Test("hints come one by one, and are remembered")
    func hints() async throws {
        _ = try await learn("start", folder)
        let first = try await learn("hint").output
        #expect(first.contains("the first") && !first.contains("the second"))
        let second = try await learn("hint").output
        #expect(second.contains("the first") && second.contains("the second"))
        #expect(try book.record().current?.hints == 2)
    }

    @Test("a lesson goes on where it was, also after its files were changed where they came from")
    func resumed() async throws {
        _ = try await learn("start", folder)
        _ = try await learn("solve")
        _ = try await learn("check")
        _ = try await learn("next")
        _ = try write("small", Self.lesson.replacing("Stop it", with: "Something else"))
        let again = try await learn("start", folder)
        #expect(again.status == 0 && again.output.contains("Task 2 of 2: Stop it"), "\(again)")
        #expect(try await session.kiln("history", "small/web").output.contains("1 → 2"), "the lab was not touched")
    }

    @Test("one that was begun by its folder goes on by its name too, and without that folder")
    func byName() async throws {
        _ = try await learn("start", folder)
        try FileManager.default.removeItem(atPath: folder)
        for text in ["small", folder + "/"] {
            let again = try await learn("start", text)
            #expect(again.status == 0 && again.output.contains("Task 1 of 2: Replace it"), "\(again)")
        }
        #expect(try await session.kiln("down", "small").status == 0)
        #expect(try await failure("check").problem.hint?.contains("'kiln learn start \(folder)'") == true)
        #expect(try await learn("reset").output.contains("next: 'kiln learn start \(folder)'"))
    }

    @Test("a copy that somebody broke is told with the way out, which says what was not put back")
    func brokenCopy() async throws {
        _ = try await learn("start", folder)
        let copy = try book.original(of: Name("small")) + "/\(LessonFile.name)"
        try Data("][".utf8).write(to: URL(fileURLWithPath: copy))
        for verb in [["check"], ["hint"], ["start", folder]] {
            let ending = try await session.run(["learn"] + verb)
            #expect(ending.status != 0 && ending.errors.contains("kiln learn reset"), "\(ending)")
        }
        let reset = try await learn("reset")
        #expect(reset.status == 0 && reset.errors.contains("was not put back"), "\(reset)")
    }

    @Test("what can't be put back at the end, because another command is at work, is told with its command")
    func heldUp() async throws {
        _ = try await session.kiln("up", "-f", session.file)
        _ = try await learn("start", try write("small", Self.lesson + "finally: [kiln stop shop/web]\n"))
        let member = world.state.member(try world.engine.member(named: "shop/web"))
        let lock = try FileLock(member + "/lock", subject: "shop/web")
        let reset = try await learn("reset")
        withExtendedLifetime(lock) {}
        #expect(reset.status == 0 && reset.errors.contains("'kiln stop shop/web' was held up"), "\(reset)")
    }

    @Test("what the trainee makes of his files, and be it nonsense, keeps no task from being judged")
    func ownFiles() async throws {
        _ = try await learn("start", folder)
        let own = try book.folder(of: Name("small")) + "/lab.yaml"
        try Data("][".utf8).write(to: URL(fileURLWithPath: own))
        #expect(try await learn("check").status == 1)
        #expect(try await learn("solve").status == 0)
        #expect(try await learn("check").status == 0)
        #expect(try String(contentsOfFile: own, encoding: .utf8) == "][", "it is his")
    }

    @Test("a second lesson is refused by the name of the first")
    func other() async throws {
        _ = try await learn("start", folder)
        let found = try await failure("start", try write("second"))
        #expect(found.status == 64 && found.problem.code == "learn.other" && found.problem.message.contains("'small'"))
        #expect(try await learn("reset").status == 0)
        #expect(try await learn("start", try write("second")).status == 0)
    }

    @Test("a lab that was taken down is told, with the way out; that works")
    func labGone() async throws {
        _ = try await learn("start", folder)
        #expect(try await session.kiln("down", "small").status == 0)
        for verb in ["check", "solve"] {
            let found = try await failure(verb)
            #expect(found.status == 12 && found.problem.code == "learn.lab-gone", "\(found)")
            #expect(found.problem.hint?.contains("kiln learn reset") == true)
        }
        #expect(try await learn("reset").status == 0)
        #expect(try await learn("start", folder).status == 0)
        #expect(try await learn("check").status == 1)
    }

    @Test("while a replacement runs nothing is judged, and its process and step are named")
    func busy() async throws {
        _ = try await learn("start", folder)
        let judged = Judged()
        let id = try world.engine.member(named: "small/web")
        let engine = LabEngine(
            state: world.state,
            parts: world.parts { progress in
                guard case .began(_, _, .handover) = progress else { return }
                judged.wait { try? await failure("check") }
            }
        )
        _ = try await engine.replace(id, ReplaceOptions(image: try ImageReference("tiny:2")))
        let found = try #require(judged.result)
        #expect(found.status == 12 && found.problem.code == "learn.lab-busy")
        #expect(found.problem.message.contains("small/web") && found.problem.message.contains("\(getpid())"))
        #expect(try await learn("check").status == 0)
    }

    /// What a check found in the middle of something that waits for it.
    private final class Judged: Sendable {
        private let found = Mutex<(status: Int32, problem: Failure.Problem)?>(nil)
        var result: (status: Int32, problem: Failure.Problem)? { found.withLock { $0 } }

        func wait(_ body: @escaping @Sendable () async -> (status: Int32, problem: Failure.Problem)?) {
            let done = DispatchSemaphore(value: 0)
            Task.detached {
                let result = await body()
                self.found.withLock { $0 = result }
                done.signal()
            }
            // Where nobody has a thread for it, the test fails rather than hangs.
            _ = done.wait(timeout: .now() + 60)
        }
    }

    @Test("another command on lessons is refused while one works, naming it")
    func locked() async throws {
        _ = try await learn("start", folder)
        let lock = try book.lock()
        defer { withExtendedLifetime(lock) {} }
        let found = try await failure("check")
        #expect(found.status == 12 && found.problem.code == "lock.held" && found.problem.message.contains("pid"))
    }

    @Test("images that are missing are all named with the command that bakes them, and nothing is begun")
    func images() async throws {
        let text = Self.lesson.replacing("[\"tiny:2\"]", with: "[\"tiny:7\", \"notes:1\"]")
        let found = try await failure("start", try write("poor", text))
        #expect(found.status == 10 && found.problem.code == "learn.images-missing")
        #expect(found.problem.message.contains("notes:1, tiny:7"))
        #expect(found.problem.hint?.contains("'kiln image bake notes tiny'") == true)
        #expect(try book.record().current == nil && world.hypervisor.alive.isEmpty)
    }

    @Test("an image that is revoked is no missing one: it is told with its code")
    func revoked() async throws {
        world.images.revoke("2")
        let found = try await failure("start", folder)
        #expect(found.problem.code == "image.revoked")
        #expect(try book.record().current == nil)
    }

    @Test("too little memory is told with both sizes")
    func memory() throws {
        let lesson = try LessonFile.lesson(in: folder)
        let budget = RunBudget(memory: 255 << 20, processors: 4)
        #expect {
            try LessonDesk.requireMemory(of: lesson, budget) { _ in MachineSize(memory: .mebibytes(128), processors: 1)
            }
        } throws: { error in
            let known = error as? KilnError
            return known?.code == .learnMemory && known?.exit == .aborted
                && known?.message.contains("256 MiB of free memory expected") == true
                && known?.message.contains("255 MiB found") == true
        }
        let room = RunBudget(memory: 256 << 20, processors: 4)
        try LessonDesk.requireMemory(of: lesson, room) { _ in MachineSize(memory: .mebibytes(128), processors: 1) }
    }

    @Test("a lab of a user's, or a volume that he has retained, keeps a lesson of that name from being begun")
    func taken() async throws {
        try Data(Self.lab.replacing("NAME", with: "small").utf8).write(to: URL(fileURLWithPath: session.file))
        #expect(try await session.kiln("up", "-f", session.file).status == 0)
        #expect(try await failure("start", folder).problem.code == "learn.lab-taken")
        #expect(try await session.kiln("down", "small").status == 0)
        #expect(try await failure("start", folder).problem.code == "learn.lab-taken")
        #expect(try await session.kiln("volume", "delete", "small/data", "--yes").status == 0)
        let found = try await failure("start", folder)
        #expect(found.problem.code == "learn.lab-taken" && found.status == 12)
        #expect(try await failure("reset").problem.code == "learn.none", "nothing of his is a lesson's")
        #expect(try await session.kiln("volume", "list", "--format", "json").output.contains("small"))
    }

    @Test("a setting whose making broke off is made anew by 'start', and removed by 'reset'")
    func broken() async throws {
        let text = Self.lesson.replacing("[\"true\"]", with: "[\"false\"]")
        let bad = try write("bad", text)
        world.guests.answer("false") { _ in 1 }
        let first = try await failure("start", bad)
        #expect(first.status == 10 && first.problem.code == "learn.setting-failed", "\(first)")
        let check = try await failure("check")
        #expect(check.status == 12 && check.problem.code == "learn.not-ready")
        _ = try write("bad")
        #expect(try await learn("start", bad).status == 0)
        #expect(try await session.kiln("history", "bad/web").output.contains("→ 1"))
        _ = try write("bad", text)
        #expect(try await learn("reset").status == 0)
        _ = try await learn("start", bad)
        #expect(try await learn("reset").status == 0)
        #expect(world.hypervisor.alive.isEmpty)
        #expect(try await failure("reset").problem.code == "learn.none")
    }

    @Test("without a lesson each verb that needs one says how to begin one")
    func none() async throws {
        for verb in ["check", "hint", "solve", "next", "reset"] {
            let found = try await failure(verb)
            #expect(found.status == 64 && found.problem.code == "learn.none", "\(verb): \(found)")
            #expect(found.problem.hint?.contains("kiln learn start NAME") == true)
        }
    }

    @Test("the list has each lesson with its title, minutes and state, also one that is not understood")
    func list() async throws {
        _ = try write("odd", "kiln-lesson: 1\n")
        let path = SearchPath(.lessons, folder: world.root + "/lessons", .init(environment: [:], executable: "/kiln"))
        var record = LessonRecord()
        try record.begin(try Name("small"))
        let list = LessonList(path: path, record: record)
        #expect(list.items.filter { $0.folder.hasPrefix(world.root) }.map(\.lesson.text) == ["odd", "small"])
        let text = try Renderer.text(list, as: .table)
        #expect(text.contains("A small lesson") && text.contains("begun") && text.contains("kiln learn lint odd"))
    }

    @Test("lint names what is wrong with a lesson, and commands that no verb understands")
    func lint() async throws {
        for text in [folder, folder + "/", "\(folder)/\(LessonFile.name)"] {
            #expect(try await learn("lint", text).status == 0, "\(text)")
        }
        let text = Self.lesson.replacing("--image tiny:2", with: "--imgae tiny:2")
        let ending = try await learn("lint", try write("odd", text))
        #expect(ending.status == 65 && ending.output.contains("lesson.yaml:11:16:"), "\(ending.output)")
    }

    @Test("every command of the lessons that Kiln comes with is one that it understands")
    func shipped() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Scenarios/lessons").path
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.contains(".") }
        #expect(names.count >= 10)
        for name in names {
            #expect(try LessonFile.lesson(in: "\(folder)/\(name)").commandProblems.isEmpty, "\(name)")
        }
    }
}
