import Foundation
import KilnModel
import KilnScenarios
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnCLI

@Suite("The shell at a run's first failure")
struct FailureShellTests {
    private let session: WorldSession

    init() throws { session = try WorldSession() }

    private func file(_ steps: String) throws -> String {
        let path = session.world.root + "/shelled.yaml"
        let text = """
            kiln: 1
            name: shelled
            lab: { servers: { web: { image: "tiny:1", ready: [agent], ready-timeout: 100s } } }
            steps: \(steps)

            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test("without a terminal it is refused by name before anything starts")
    func refused() async throws {
        let ending = try await session.kiln("run", try file("[up]"), "--shell-on-failure", "--format", "json")
        #expect(ending.status == 64 && (ending.output + ending.errors).contains("--shell-on-failure"), "\(ending)")
        #expect(session.world.hypervisor.alive.isEmpty && !ending.errors.contains("step 1"))
    }

    @Test("it knows the lab, is told what failed and what can be done, and the run goes on to its end after it")
    func opened() async throws {
        let recorded = RecordedSession()
        let known = Mutex<[[String: String]]>([])
        let alive = Mutex(0)
        let world = session.world
        let shell = FailureShell(session: recorded.session(), connect: "test:///default") { variables in
            known.withLock { $0.append(variables) }
            alive.withLock { $0 = world.hypervisor.alive.count }
        }
        let all = try ScenarioFile.scenarios(at: try file("[up, { exec: { server: web, command: ['false'] } }]"))
        let inner = try await session.recorded()
        var batch = RunBatch(session: inner)
        batch.shell = shell
        #expect(try await batch.run(all) == 1)
        let lab = try #require(known.withLock { $0.first?["KILN_LAB"] })
        #expect(known.withLock { $0.count } == 1 && lab.hasPrefix("shelled-") && alive.withLock { $0 } == 1)
        #expect(known.withLock { $0.first?["LIBVIRT_DEFAULT_URI"] } == "test:///default")
        #expect(recorded.errors.contains("step 2 exec web, line 4, failed: web: exit status 0 expected, 1 found"))
        #expect(recorded.errors.contains("kiln exec \(lab)/web -- COMMAND    kiln console \(lab)/web"))
        #expect(recorded.errors.contains("the shell has ended") && world.hypervisor.alive.isEmpty)
    }

    @Test("a shell that can't be opened is told, and keeps no run from its end")
    func impossible() async throws {
        let recorded = RecordedSession()
        let shell = FailureShell(session: recorded.session(), connect: nil) { _ in
            throw KilnError("test.no-shell", "there is no shell", exit: .usage)
        }
        let all = try ScenarioFile.scenarios(at: try file("[up, { exec: { server: web, command: ['false'] } }]"))
        var batch = RunBatch(session: try await session.recorded())
        batch.shell = shell
        #expect(try await batch.run(all) == 1)
        #expect(recorded.errors.contains("there is no shell") && session.world.hypervisor.alive.isEmpty)
    }

    @Test("a process that is not in the foreground of a terminal opens none")
    func background() async {
        // Whoever has a terminal would get a shell.
        let terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)
        guard terminal < 0 else {
            close(terminal)
            return
        }
        await #expect(throws: KilnError.self) { try await HostShell.run(variables: [:]) }
    }

    @Test("what a scenario keeps secret is not told while it runs, either")
    func secret() async throws {
        let path = session.world.root + "/secret.yaml"
        let text = try String(contentsOfFile: try file("[{ note: a, name: 'it is swordfish' }]"), encoding: .utf8)
            .replacing("ready: [agent],", with: "ready: [agent], user-data: { password: swordfish },")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let ending = try await session.kiln("run", path)
        #expect(ending.status == 0 && ending.errors.contains("[redacted]"), "\(ending.errors)")
        #expect(!ending.errors.contains("swordfish"))
    }

    @Test("while somebody else has the terminal nothing is written, and what was told comes afterwards")
    func held() {
        let recorded = RecordedSession()
        let session = recorded.session()
        session.progress.hold()
        session.say("told meanwhile")
        session.progress.clear()
        #expect(recorded.errors.isEmpty)
        session.progress.release()
        #expect(recorded.errors == "told meanwhile\n")
        session.say("later")
        #expect(recorded.errors == "told meanwhile\nlater\n")
    }
}
