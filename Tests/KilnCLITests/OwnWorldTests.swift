import Foundation
import KilnEngine
import KilnFaults
import KilnHost
import KilnModel
import KilnScenarios
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnCLI

@Suite("Homes of runs that break what belongs to the host")
struct OwnWorldTests {
    private let home: TemporaryDirectory
    private var worlds: String { home.path + "/worlds" }

    init() throws {
        home = try TemporaryDirectory()
        for file in ["1/labs/file", "1.lock", "2/labs/file", "2.lock", "notes"] {
            _ = try home.file("worlds/\(file)", [1])
        }
    }

    @Test("those of commands that were killed are told and removed; one that lives, and what is no world, stay")
    func abandoned() async throws {
        let lives = try FileLock(worlds + "/2.lock", subject: "a run")
        let told = ["the home of a killed run, \(worlds)/1"]
        #expect(await OwnWorld.removeAbandoned(in: home.path, dryRun: true) == told)
        #expect(try FileManager.default.contentsOfDirectory(atPath: worlds).count == 5)
        #expect(await OwnWorld.removeAbandoned(in: home.path) == told)
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: worlds)) == ["2", "2.lock", "notes"])
        withExtendedLifetime(lives) {}
        #expect(await OwnWorld.removeAbandoned(in: home.path + "/none").isEmpty)
    }

    @Test("reports and evidence of a home that goes are those of the home outside, by its paths")
    func links() throws {
        let world = worlds + "/1"
        for name in ["reports", "evidence"] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(world)/\(name)",
                withDestinationPath: "\(home.path)/\(name)"
            )
        }
        let state = StateDirectory(root: world, sockets: world)
        #expect(state.reports == home.path + "/reports" && state.evidence == home.path + "/evidence")
        #expect(StateDirectory(root: home.path, sockets: "").reports == home.path + "/reports")
    }

    /// The descriptor of a file's lock, as a program before this one would have passed it on; nobody closes it.
    private func descriptor(of file: String) throws -> Int32 {
        let descriptor = open(worlds + "/" + file, O_RDWR)
        try #require(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        return descriptor
    }

    @Test("what the variable says is believed only where it is KILN_HOME, and the lock beside that is handed over")
    func handedOver() throws {
        let (one, world) = (try descriptor(of: "1.lock"), worlds + "/1")
        #expect(OwnWorld(handedOver: "\(one):\(world)", home: world)?.path == world)
        let notes = try descriptor(of: "notes")
        for (said, home) in [
            ("", world), (world, world), ("\(one):", ""), ("\(one):\(world)", worlds + "/2"),
            ("\(notes):\(world)", world),
            ("9999:\(world)", world), ("\(one):\(worlds)", worlds), ("\(one):\(home.path)", home.path),
        ] {
            #expect(OwnWorld(handedOver: said, home: home) == nil, "\(said) \(home)")
        }
        for descriptor in [one, notes] { close(descriptor) }
    }

    @Test("what runs in one is found by the paths that it was given, also by short names of sockets, and is ended")
    func processes() async throws {
        let world = worlds + "/1"
        // A program whose name is one of those that run there.
        let program = home.path + "/qemu-system-x86_64"
        try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: program)
        func start(_ variables: [String: String], _ tool: String) throws -> Process {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: tool)
            process.arguments = ["1000"]
            process.environment = variables
            try process.run()
            return process
        }
        let inside = [
            try start(["DISK": "file=\(world)/labs/disk,if=none"], program), try start(["KILN_HOME": world], program),
            try start(["SOCKET": HomeAlias(home: world).link + "/sockets/1"], program),
        ]
        let outside = [
            try start(["KILN_HOME": world + "1"], program), try start(["KILN_HOME": "/srv" + world], program),
            // An editor of somebody's.
            try start(["KILN_HOME": world], "/bin/sleep"),
        ]
        // What begins on a thread of Dispatch has SIGTERM blocked, and hands that on.
        defer { outside.forEach { kill($0.processIdentifier, SIGKILL) } }
        _ = await OwnWorld.removeAbandoned(in: home.path)
        for process in inside { process.waitUntilExit() }
        let killed = inside.allSatisfy { $0.terminationReason == .uncaughtSignal }
        #expect(killed)
        let alive = outside.allSatisfy { $0.isRunning }
        #expect(alive)
        #expect(!FileManager.default.fileExists(atPath: world))
    }

    @Test("its file systems have room for volumes and their sealed layers, and take no more than half of the memory")
    func room() throws {
        func scenario(_ size: String) throws -> Scenario {
            let text = """
                kiln: 1
                name: full
                lab:
                  volumes: { data: { size: \(size) }, more: { size: 8MiB } }
                  servers: { web: { image: tiny, volumes: { data: /data } } }
                steps: [up]
                """
            return try ScenarioFile.scenario(at: try home.file("\(size).yaml", Array(text.utf8)))
        }
        let two = [try scenario("64MiB"), try scenario("100MiB")]
        let room = try WorldRoom(for: two, of: .mebibytes(2048))
        #expect(room.sizes[.volumes] == UInt64(2 * 108 + 128) << 20)
        let error = try #require(throws: KilnError.self) {
            try WorldRoom(for: [try scenario("1GiB")], of: .mebibytes(2048))
        }
        #expect(error.code == .faultImpossible && error.message.contains("at most 1GiB"), "\(error)")
        #expect(throws: KilnError.self) { try WorldRoom(for: [try scenario("16TiB")], of: .mebibytes(2048)) }
    }
}
