import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnEngine

@Suite("What a machine is asked")
struct GuestChecksTests {
    private let world: LabTestWorld

    init() throws { world = try LabTestWorld() }

    private func checks(_ reply: @escaping @Sendable ([String]) async -> GuestCommandResult?) async throws
        -> GuestChecks
    {
        try await world.up()
        world.world.guests.reply { arguments, _ in await reply(arguments) }
        return try world.engine.checks(on: world.id)
    }

    private static func said(_ text: String, status: Int32 = 0) -> GuestCommandResult {
        GuestCommandResult(status: status, output: Array(text.utf8), errors: [])
    }

    // What the script is asked for, and its arguments.
    private static func asked(_ arguments: [String]) -> [String] {
        arguments.count > 3 && arguments[3] == "kiln" ? Array(arguments.dropFirst(4)) : []
    }

    private func found(_ resource: GuestResource, _ said: String, status: Int32 = 0) async throws -> [Assertion] {
        try await checks { Self.asked($0).isEmpty ? nil : Self.said(said, status: status) }
            .assertions(Check(.resource(resource)))
    }

    @Test("a guest's file, account and package are told by its own script and files")
    func files() async throws {
        let checks = try await checks { arguments in
            switch Self.asked(arguments).prefix(2) {
            case ["entry", "/etc/hosts"]: Self.said("81a4 0 42 7\n")
            case ["content", "/etc/hosts"]: Self.said("1.2.3.4")
            case ["content", "/etc/passwd"]: Self.said("root:x:0:0:root:/root:/bin/sh\n")
            case ["content", "/etc/group"]: Self.said("shadow:x:42:\n")
            default: Self.said("", status: GuestScript.missing)
            }
        }
        var file = FileResource(path: try #require(RootPath("/etc/hosts")))
        file.mode = 0o644
        file.owner = try TextPattern("root")
        file.group = try TextPattern("shadow")
        file.contents = [try TextPattern("1.2.3.4")]
        let assertions = await checks.assertions(Check(.resource(.file(file))))
        #expect(assertions.count == 5 && assertions.allSatisfy { $0.outcome == .passed && $0.place == .booted })
        let package = await checks.assertions(Check(.resource(.package(PackageResource(name: "a")))))
        #expect(package.map(\.outcome) == [.failed] && package[0].found.contains("can't be told here"))
    }

    @Test("a path is an argument of the script, as it is")
    func arguments() async throws {
        let hostile = "/a b/$(reboot);'\""
        let checks = try await checks { Self.asked($0) == ["entry", hostile] ? Self.said("81a4 0 0 7\n") : nil }
        let file = FileResource(path: try #require(RootPath(written: hostile)))
        #expect(await checks.assertions(Check(.resource(.file(file)))).map(\.outcome) == [.passed])
    }

    @Test("services, ports, processes and mounts are as the guest says")
    func running() async throws {
        let unit = "LoadState=loaded\nActiveState=active\nUnitFileState=disabled\n"
        let service = try await found(.service(ServiceResource(name: "ssh", enabled: true, running: true)), unit)
        #expect(service.map(\.outcome) == [.failed, .passed] && service[0].found.contains("disabled"))
        let none = try await found(
            .service(ServiceResource(name: "ssh", running: false)),
            "",
            status: GuestScript.untold
        )
        #expect(none.map(\.outcome) == [.failed] && none[0].found.contains("no systemd"))
        var port = PortResource(transport: .tcp, number: 22)
        port.ip = [try TextPattern("127.0.0.1")]
        let sockets = try await found(.port(port), "0: 00000000:0016 00000000:0000 0A 0\n")
        #expect(sockets.map(\.outcome) == [.passed, .failed] && sockets[1].found.contains("0.0.0.0"))
        var process = ProcessResource(name: "sshd")
        process.count = NumberCondition(2)
        let processes = try await found(.process(process), "9\nName:\tsshd\nState:\tS\nPid:\t1\nPPid:\t0\n")
        #expect(processes.map(\.outcome) == [.passed, .failed])
        var mount = MountResource(path: .root)
        mount.opts = [try TextPattern("rw")]
        let mounts = try await found(.mount(mount), "/dev/vda / ext4 rw,relatime 0 0\n")
        #expect(mounts.map(\.outcome) == [.passed, .passed])
    }

    @Test("nonsense is no proof, neither of something nor of its contrary")
    func nonsense() async throws {
        let checks = try await checks { _ in Self.said("\u{1b}[2Jnonsense") }
        let resources: [GuestResource] = [
            .file(FileResource(path: .root)), .process(ProcessResource(name: "a")),
        ]
        for resource in resources {
            for probe in [Probe.resource(resource), .not(.resource(resource))] {
                let found = await checks.assertions(Check(probe))
                #expect(found.allSatisfy { $0.outcome == .failed } && !found.isEmpty, "\(probe)")
                #expect(found.allSatisfy { !$0.found.contains("\u{1b}") })
            }
        }
    }

    @Test("a command's end and its words are judged, and its own words for damaged data understood")
    func commands() async throws {
        var command = CommandResource(run: ["/check"])
        command.stdout = [try TextPattern("fine"), try TextPattern("!broken")]
        let checks = try await checks { $0 == ["/check"] ? Self.said("all is fine") : Self.said("", status: 65) }
        #expect(
            await checks.assertions(Check(.resource(.command(command)))).map(\.outcome) == [.passed, .passed, .passed]
        )
        let other = Check(.resource(.command(CommandResource(run: ["/other"]))))
        #expect(await checks.assertions(other).map(\.outcome) == [.failed])
        guard case .dataDamaged = await checks.finding(other) else {
            Issue.record("status 65 is EX_DATAERR")
            return
        }
        var expected = CommandResource(run: ["/other"])
        expected.exitStatus = NumberCondition(65)
        #expect(await checks.finding(Check(.resource(.command(expected)))) == .holds)
    }

    @Test("a machine that can't be asked proves nothing, and what never ends is given up", .timeLimit(.minutes(1)))
    func unreachable() async throws {
        let checks = try await checks { arguments in
            guard arguments == ["/slow"] else { return nil }
            try? await Task.sleep(for: .seconds(600))
            return nil
        }
        let slow = Check(.not(.exec(["/slow"])), timeout: .milliseconds(50))
        let found = await checks.assertions(slow)
        #expect(found.map(\.outcome) == [.failed] && found[0].found.contains("no answer"))
        world.world.faults.fail("run", with: KilnError(.guestNoAgent, "no agent", exit: .aborted))
        let negated = Check(.not(.exec(["/x"])))
        #expect(await checks.assertions(negated).map(\.outcome) == [.failed])
        #expect(await checks.finding(negated) != .holds)
    }

    @Test(
        "a server becomes ready once a resource is as expected, and what is forbidden fails at once",
        .timeLimit(.minutes(1))
    )
    func ready() async throws {
        let path = try #require(RootPath("/run/ready"))
        let asked = Locked(0)
        world.world.guests.reply { arguments, _ in
            guard Self.asked(arguments).first == "entry" else { return nil }
            let count = asked.withLock { count in
                count += 1
                return count
            }
            return count < 3 ? Self.said("", status: GuestScript.missing) : Self.said("81a4 0 0 7\n")
        }
        var spec = try world.spec()
        spec.ready = [Check(.resource(.file(FileResource(path: path))), every: .milliseconds(1))]
        #expect(try await world.up(spec).state == .running)
        #expect(asked.withLock { $0 } == 3)
        world.world.faults.fail("run", with: KilnError(.guestForbidden, "not allowed", exit: .aborted))
        let error = await #expect(throws: KilnError.self) { try await world.engine.awaitReady(world.id) }
        #expect(error?.code == .readyFailed && error?.message.contains("not allowed") == true)
    }
}
