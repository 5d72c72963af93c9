import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnBakery

/// The room's script is run here, by the sh of this host, in a folder that stands for the guest's; only what the guest is told
/// to clean is not.
@Suite("Rooms in a machine", .timeLimit(.minutes(2)))
struct BootedRoomTests {
    private let world: FakeWorld
    private let folder: TemporaryDirectory
    private let log: BakeLog
    private let said: Lines

    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    init() throws {
        world = try FakeWorld()
        folder = try TemporaryDirectory()
        said = Lines()
        log = try BakeLog(folder.path + "/log") { [said] line in said.all.withLock { $0.append(line) } }
        let (place, guests) = (folder.path + "/place", world.guests)
        world.guests.reply { [unowned guests] arguments, machine in
            guard arguments.count > 6, arguments[3] == "kiln-room", arguments[4] == place else { return nil }
            return try? await Self.run(arguments, place, guests, machine)
        }
    }

    // What was written to the guest becomes a file of this host, before it is used: a program that runs would else be cut off
    // while its sh reads it.
    private static func run(
        _ arguments: [String],
        _ place: String,
        _ guests: FakeGuests,
        _ machine: MachineID
    ) async throws -> GuestCommandResult {
        let uses = ["start": ["program"], "unpack": ["recipe.tar", "lent.tar"]]
        for name in uses[arguments[6]] ?? [] {
            guard let bytes = try await guests.read("\(place)/run/\(name)", in: machine, limit: 1 << 20) else {
                continue
            }
            try Data(bytes).write(to: URL(fileURLWithPath: "\(place)/run/\(name)"))
        }
        let output = try await Command(arguments[0], Array(arguments.dropFirst()), deadline: .seconds(30)).result()
        return GuestCommandResult(status: output.status, output: output.output, errors: output.errors)
    }

    private func room() async throws -> BootedRoom {
        try world.images.add("1")
        let id = MemberID(lab: try Name("lab"), server: try Name("bake"))
        let spec = ServerSpec(image: try ImageReference("tiny:1"))
        _ = try await world.engine.up(LabSpec(name: id.lab, volumes: [:], servers: [id.server: spec]))
        var room = BootedRoom(
            machine: BakeMachine(engine: world.engine, id: id, isOpen: false),
            step: "shell one.sh",
            log: log
        )
        room.variables = ["GREETING": "it's \"$HOME\""]
        (room.place, room.link) = (folder.path + "/place", folder.path + "/link")
        room.pause = .milliseconds(20)
        chmod(try folder.file("recipe/one.sh", Array("#!/bin/sh\n".utf8)), 0o755)
        try await room.open(with: folder.path + "/recipe")
        return room
    }

    private func run(_ room: BootedRoom, _ script: String, timeout: Duration = .seconds(20)) async throws -> Int32 {
        let command = RoomCommand(["/bin/sh", "-c", script], timeout: timeout, network: false)
        return try await room.run(command, accepting: [7])
    }

    private var lines: [String] { said.all.withLock { $0 } }

    @Test("a program begins among its files, with its variables, and without input")
    func places() async throws {
        let room = try await room()
        #expect(try await run(room, "ls; echo \"$GREETING\"; pwd; cat; echo error >&2; printf last") == 0)
        #expect(lines.prefix(2) == ["one.sh", "it's \"$HOME\""], "\(lines)")
        #expect(lines.dropFirst(2).first?.hasSuffix("/link/recipe") == true)
        #expect(lines.suffix(2) == ["error", "last"])
    }

    @Test("its status counts, and its last words are told where it is another")
    func status() async throws {
        let room = try await room()
        #expect(try await run(room, "exit 7") == 7)
        let error = await #expect(throws: KilnError.self) { try await run(room, "echo why; exit 3") }
        #expect(error?.code == .bakeStepFailed && error?.cause == "why")
    }

    @Test("more than is asked for at once is told whole, and in order")
    func much() async throws {
        let room = try await room()
        _ = try await run(room, "i=0; while [ $i -lt 40000 ]; do echo line-$i; i=$((i+1)); done")
        #expect(lines.count == 40_000 && lines.last == "line-39999")
    }

    @Test("what a program leaves running keeps nobody waiting")
    func daemon() async throws {
        let room = try await room()
        let begin = ContinuousClock.now
        _ = try await run(room, "sleep 100 & echo $!")
        #expect(ContinuousClock.now - begin < .seconds(90))
        let left = try #require(lines.last.flatMap { Int32($0) })
        #expect(kill(left, SIGKILL) == 0)
    }

    @Test("one that takes longer than it may is ended, with what it started")
    func deadline() async throws {
        let room = try await room()
        let mark = folder.path + "/mark"
        let error = await #expect(throws: KilnError.self) {
            try await run(room, "sleep 600 & echo $! >\(mark); sleep 600", timeout: .seconds(5))
        }
        #expect(error?.code == .bakeStepDeadline && error?.exit == .deadline)
        let pid = try String(contentsOfFile: mark, encoding: .utf8).trimmingCharacters(in: .newlines)
        #expect(Int(pid) != nil)
        // Of one that has ended nothing, or no command, is there.
        let end = ContinuousClock.now + .seconds(60)
        while FileManager.default.contents(atPath: "/proc/\(pid)/cmdline")?.isEmpty == false {
            try #require(ContinuousClock.now < end, "\(pid) runs on")
            // Nobody is told of the end of another's child.
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    @Test("a folder that is lent is there, whatever its owner here is")
    func lent() async throws {
        let room = try await room()
        _ = try folder.file("other/deep/file", Array("content\n".utf8))
        try await room.lend(folder.path + "/other", as: "lent")
        _ = try await run(room, "cat ../lent/deep/file; echo more >> ../lent/deep/file")
        #expect(lines == ["content"])
        #expect(try String(contentsOfFile: folder.path + "/other/deep/file", encoding: .utf8) == "content\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.hasSuffix(".tar") })
    }

    @Test("a guest that is silent for a while, as one whose agent is restarted, is asked again")
    func silence() async throws {
        let room = try await room()
        let count = Mutex(0)
        let faults = world.faults
        faults.before("run") {
            let now = count.withLock { count in
                count += 1
                return count
            }
            let silent = KilnError(.guestAgentSilent, "restarting", exit: .deadline)
            // The first is the start; what is asked next fails twice.
            faults.fail("run", with: (2...3).contains(now) ? silent : nil)
        }
        #expect(try await run(room, "echo through") == 0)
        #expect(lines == ["through"])
    }

    @Test("a guest that says anything else than a status is not believed")
    func nonsense() async throws {
        let room = try await room()
        world.guests.reply { arguments, _ in
            guard arguments.count > 6, arguments[6] == "told" else { return nil }
            return GuestCommandResult(status: 0, output: Array("99999999999\n".utf8), errors: [])
        }
        let error = await #expect(throws: KilnError.self) { try await run(room, "true") }
        #expect(error?.code == .guestNonsense)
    }

    @Test("a machine that is reached by its network alone can do no step without one, and says which")
    func unreachable() async throws {
        let room = try await room()
        let machine = BakeMachine(engine: world.engine, id: room.machine.id, isOpen: true)
        let error = await #expect(throws: KilnError.self) {
            try await machine.setNetwork(false, for: "shell one.sh") { _ in
                throw KilnError(.guestAgentSilent, "no answer", exit: .deadline)
            }
        }
        #expect(error?.code == .bakeNetworkNeeded && error?.message.hasPrefix("shell one.sh ") == true)
        #expect(world.hypervisor.links == [false, true])
    }
}
