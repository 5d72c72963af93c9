import KilnTestSupport
import Synchronization
import Testing

@testable import KilnScenarios

@Suite("Declaring a server otherwise in a run, on fakes")
struct DeclareStepTests {
    private let faults: FaultWorld

    init() throws { faults = try FaultWorld() }

    @Test("a changed configuration is that of the next machine, and nobody has tried it with the image")
    func userData() async throws {
        let declare = "declare: { server: web, user-data: { write_files: [{ path: /etc/greeting, content: hello }] } }"
        let report = try await faults.run([
            "up", declare, "expect: { server: web, generation: 1, configuration: passed }", "replace: { server: web }",
            "expect: { server: web, generation: 2, image: 'tiny:1', configuration: untested }",
        ])
        #expect(report.outcome == .passed, "\(report)")
    }

    @Test("what is declared by two steps is declared by both")
    func both() async throws {
        let counts = Mutex<[Int]>([])
        let text = """
            kiln: 1
            name: test
            lab: { servers: { web: { image: 'tiny:1', replicas: 1, ready: [agent] } } }
            steps:
              - up
              - declare: { server: web, replicas: 2 }
              - note: two
              - declare: { server: web, user-data: { hostname: other } }
              - note: still two
            """
        let sink = FaultWorld.atNote { [world = faults.world] in
            counts.withLock { $0.append(world.hypervisor.alive.count) }
        }
        let report = try await faults.world.run(text, sink: sink)
        #expect(report.outcome == .passed, "\(report)")
        #expect(counts.withLock { $0 } == [2, 2])
    }

    @Test("more members take more of the host")
    func demand() throws {
        let text = """
            kiln: 1
            name: test
            lab: { servers: { web: { image: 'tiny:1', replicas: 1, processors: 1 } } }
            steps: [up, { declare: { server: web, replicas: 3 } }]
            """
        #expect(try read(text).demand { _ in nil }.processors == 3)
    }

    @Test(
        "what can't be declared is refused where it is written",
        arguments: [
            ("server: web", "nothing is declared"),
            ("server: web, replicas: 2", "it declares no 'replicas' in the lab"),
            ("server: web, image: 'tiny:2'", "unknown field"),
            ("server: wep, replicas: 2", "found 'wep'"),
            ("server: web, user-data: { bootcmd: [mkfs.ext4 /dev/vdb] }", "erase"),
            ("server: web, user-data: { hostname: '${saved.name}' }", "is known only while the scenario runs"),
        ]
    )
    func refused(fields: String, expected: String) throws {
        let found = try problems(FaultWorld.text(["up", "declare: { \(fields) }"]))
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }

    @Test("what it declares of passwords is as secret as what the lab does")
    func secrets() throws {
        let step = "declare: { server: web, user-data: { password: 'sesame-opens' } }"
        let report = RunSecrets(try read(FaultWorld.text(["up", step])))
        #expect(report.texts.contains("sesame-opens"))
    }
}
