import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnHost

@Suite(
    "A front",
    .enabled(if: DaemonTestHome.executable != nil && (try? MachineOwner.current()) != nil)
)
struct FrontProcessTests {
    private let home: DaemonTestHome
    private let state: StateDirectory
    private let fronts: LocalFronts
    private let id: ServerID
    private let port: UInt16

    init() throws {
        home = try DaemonTestHome()
        let owner = try MachineOwner.current()
        state = try KilnHome(path: home.path + "/home", owner: owner).prepared()
        id = ServerID(lab: try Name("lab"), server: try Name("web"))
        try DurableFile.makeDirectory(state.server(id))
        fronts = LocalFronts(state: state, owner: owner, executable: try #require(DaemonTestHome.executable))
        port = try FrontProcessTests.freePort()
    }

    private func plan(
        _ standing: FrontPlan.Standing,
        to target: UInt16?,
        hold: Duration = .seconds(10),
        connections: Int? = 1,
        isHTTP: Bool = true
    ) throws -> FrontPlan {
        let http = try Name("http")
        return FrontPlan(
            spec: FrontSpec(hold: hold, connections: connections),
            ports: [FrontPlan.Port(name: http, host: port, isHTTP: isHTTP)],
            slots: [
                FrontPlan.Slot(
                    ordinal: 0,
                    generation: Generation(1),
                    ports: target.map { [http: $0] } ?? [:],
                    standing: standing
                )
            ]
        )
    }

    private func other(_ port: UInt16, beside plan: FrontPlan? = nil) throws -> FrontPlan {
        let more = FrontPlan.Port(name: try Name("other"), host: port, isHTTP: false)
        return FrontPlan(
            spec: plan?.spec ?? FrontSpec(),
            ports: (plan?.ports ?? []) + [more],
            slots: plan?.slots ?? [FrontPlan.Slot(ordinal: 0)]
        )
    }

    private static func freePort(besides other: UInt16? = nil) throws -> UInt16 {
        let ports = LoopbackPorts()
        return try #require(ports.choice.shuffled().first { $0 != other && ports.isFree($0, .tcp) })
    }

    /// The status of an answer; nothing where none came.
    private func status() async throws -> Int? {
        let request = HTTPProbe(port: try Name("http"), path: "/")
        let answer = await LoopbackProbe().exchange(request, on: port, over: .new, within: .seconds(20))
        return try? answer.get().status
    }

    /// Whatever happens, no process and no file is left.
    private func cleaningUp(_ body: () async throws -> Void) async throws {
        defer { home.remove() }
        do {
            try await body()
        } catch {
            try? await fronts.end(id)
            throw error
        }
        try await fronts.end(id)
        let left = try FileManager.default.contentsOfDirectory(atPath: state.sockets).filter { $0.contains(".front") }
        #expect(left.isEmpty && LoopbackPorts().isFree(port, .tcp))
    }

    @Test("requests wait while nobody serves, and are answered by who serves then; after 'hold' they get 503")
    func hold() async throws {
        let server = try KeptServer { _ in KeptServer.answer(200, "hello") }
        try await cleaningUp {
            try await fronts.apply(plan(.out, to: nil), to: id)
            async let waiting = status()
            try await Task.sleep(for: .milliseconds(300))
            try await fronts.apply(plan(.serving, to: server.port), to: id)
            #expect(try await waiting == 200)
            #expect(try await fronts.traffic(of: id)?.first?.total == 1)
            try await fronts.apply(plan(.out, to: server.port, hold: .milliseconds(200)), to: id)
            #expect(try await status() == 503)
        }
    }

    @Test("a pause lets nobody through although a machine serves; it ends when that is said, or by itself")
    func pause() async throws {
        let server = try KeptServer { _ in KeptServer.answer(200, "hello") }
        try await cleaningUp {
            try await fronts.apply(plan(.serving, to: server.port), to: id)
            try await fronts.pause(id, for: .seconds(9))
            async let waiting = status()
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await fronts.traffic(of: id)?.first?.total == 0)
            try await fronts.pause(id, for: .zero)
            #expect(try await waiting == 200)
            let begin = ContinuousClock.now
            try await fronts.pause(id, for: .milliseconds(400))
            #expect(try await status() == 200)
            #expect(ContinuousClock.now - begin > .milliseconds(300))
            // A client that can't wait longer is told so, also in a pause.
            try await fronts.apply(plan(.serving, to: server.port, hold: .milliseconds(200)), to: id)
            try await fronts.pause(id, for: .seconds(9))
            #expect(try await status() == 503)
        }
        let error = await #expect(throws: KilnError.self) { try await fronts.pause(id, for: .seconds(1)) }
        #expect(error?.cause == "it does not run")
    }

    @Test("who listens hears of each answer: from whom, whether it was good, and how long it took")
    func heard() async throws {
        let server = try KeptServer { _ in KeptServer.answer(200, "hello") }
        try await cleaningUp {
            try await fronts.apply(plan(.serving, to: server.port), to: id)
            // Before any request: HAProxy tells of an answer some time after the client has it.
            let log = try await fronts.listen(to: id)
            for _ in 0..<3 { #expect(try await status() == 200) }
            var heard: [FrontAnswer] = []
            let end = ContinuousClock.now + .seconds(20)
            while heard.count < 3, ContinuousClock.now < end { heard += try await log.answers(within: .seconds(1)) }
            #expect(heard.map(\.ordinal) == [0, 0, 0] && heard.allSatisfy(\.isGood), "\(heard)")
        }
    }

    @Test("it tells how many requests were answered, and how many wait: for a machine that is free, and for any at all")
    func load() async throws {
        let (server, asked, go) = try slowServer()
        try await cleaningUp {
            try await fronts.apply(plan(.out, to: nil), to: id)
            #expect(try await load(waiting: 0) == 0)
            async let first = status()
            async let second = status()
            async let third = status()
            // Nobody serves.
            #expect(try await load(waiting: 3) == 0)
            try await fronts.apply(plan(.serving, to: server.port), to: id)
            await BlockingWork.run { _ = asked.wait(timeout: .now() + 20) }
            #expect(try await load(waiting: 2) == 1)
            for _ in 0..<3 { go.signal() }
            #expect(try await [first, second, third] == [200, 200, 200])
            #expect(try await load(waiting: 0) == 3)
        }
    }

    /// How many were answered, once so many wait.
    // Each request signals `asked`, and is answered once `go` is signalled.
    private func slowServer(
        for patience: DispatchTimeInterval = .seconds(20)
    ) throws -> (server: KeptServer, asked: DispatchSemaphore, go: DispatchSemaphore) {
        let (asked, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let server = try KeptServer { _ in
            asked.signal()
            _ = go.wait(timeout: .now() + patience)
            return KeptServer.answer(200, "slow")
        }
        return (server, asked, go)
    }

    private func load(waiting: Int) async throws -> Int {
        let end = ContinuousClock.now + .seconds(20)
        while true {
            let load = try #require(try await fronts.load(of: id)).load
            if load.waiting == waiting { return load.answered }
            try #require(ContinuousClock.now < end, "\(load)")
            // HAProxy tells of no event.
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test("one that is killed comes back as it was told last; so does one whose keeper is killed, at the next command")
    func killed() async throws {
        let server = try KeptServer { _ in KeptServer.answer(200, "hello") }
        try await cleaningUp {
            let plan = try plan(.serving, to: server.port)
            try await fronts.apply(plan, to: id)
            let front = FrontSocket(place: FrontPlace(base: state.frontBase(id)))
            let first = try #require(try front.about())
            kill(first.process, SIGKILL)
            try await awaitOther(than: first, front)
            #expect(try await status() == 200)
            let kept = try #require(keeper(front))
            kill(kept, SIGKILL)
            // A process that is being ended still has its lock, by which a command tells that somebody keeps the front.
            try #require(try Keeper(lock: state.frontLock(id)).awaitEnd(until: .now + .seconds(30)))
            #expect(try await status() == 200)
            // The next command makes another keeper, and leaves HAProxy as it is: somebody may wait in it.
            let second = try front.about()
            try await fronts.apply(plan, to: id)
            #expect(try front.about() == second)
            kill(try #require(second?.process), SIGKILL)
            try await awaitOther(than: second, front)
            #expect(try await status() == 200)
        }
    }

    private func keeper(_ front: FrontSocket) -> Int32? {
        HostProcesses.all().first { HostProcesses.arguments(of: $0).contains(front.place.base) }
    }

    private func awaitOther(than first: FrontSocket.About?, _ front: FrontSocket) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while true {
            if let now = try front.about(), now.process != first?.process { return }
            try #require(ContinuousClock.now < end, "its last start: \(front.attempt?.said ?? "none")")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test("for another port, or more connections, another process takes over, and ends what the one before has begun")
    func takenOver() async throws {
        let (server, asked, go) = try slowServer()
        try await cleaningUp {
            let first = try plan(.serving, to: server.port)
            try await fronts.apply(first, to: id)
            let front = FrontSocket(place: FrontPlace(base: state.frontBase(id)))
            let before = try #require(try front.about())
            async let slow = status()
            await BlockingWork.run { _ = asked.wait(timeout: .now() + 20) }
            async let done: Void = fronts.apply(
                other(
                    FrontProcessTests.freePort(besides: port),
                    beside: plan(.serving, to: server.port, connections: 2)
                ),
                to: id
            )
            try await awaitOther(than: before, front)
            #expect(HostProcesses.state(of: before.process) != .gone)
            go.signal()
            #expect(try await slow == 200)
            try await done
            try await fronts.awaitPredecessors(of: id, within: .seconds(20))
            // One that is just ending has no arguments any more, by which it is known, and is there for a moment yet.
            let end = ContinuousClock.now + .seconds(5)
            while HostProcesses.state(of: before.process) != .gone, ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(HostProcesses.state(of: before.process) == .gone)
        }
    }

    @Test("two fronts can't have one port, and a front that is refused one keeps what it has")
    func twoFronts() async throws {
        let server = try KeptServer { _ in KeptServer.answer(200, "hello") }
        try await cleaningUp {
            let first = try plan(.serving, to: server.port)
            try await fronts.apply(first, to: id)
            let second = ServerID(lab: id.lab, server: try Name("second"))
            try DurableFile.makeDirectory(state.server(second))
            await #expect(throws: KilnError.self) { try await fronts.apply(other(port), to: second) }
            try await fronts.end(second)
            let listener = try KeptServer { _ in KeptServer.answer(200, "mine") }
            await #expect(throws: KilnError.self) {
                try await fronts.apply(other(listener.port, beside: first), to: id)
            }
            try await fronts.apply(first, to: id)
            #expect(try await status() == 200)
        }
    }

    @Test("a connection of another protocol waits as a request does")
    func connections() async throws {
        let server = try KeptServer { _ in KeptServer.answer(200, "hello") }
        try await cleaningUp {
            try await fronts.apply(plan(.out, to: nil, isHTTP: false), to: id)
            async let waiting = status()
            try await Task.sleep(for: .milliseconds(300))
            try await fronts.apply(plan(.serving, to: server.port, isHTTP: false), to: id)
            #expect(try await waiting == 200)
        }
    }

    @Test("a front ends at once, whoever still uses it")
    func ended() async throws {
        let (server, asked, go) = try slowServer(for: .seconds(60))
        try await cleaningUp {
            try await fronts.apply(plan(.serving, to: server.port), to: id)
            async let slow = status()
            await BlockingWork.run { _ = asked.wait(timeout: .now() + 20) }
            try await fronts.end(id)
            #expect(try await slow == nil)
            go.signal()
        }
    }

    @Test("a front that hangs is ended all the same, with its keeper, also as garbage")
    func hanging() async throws {
        let server = try KeptServer { _ in KeptServer.answer(200, "hello") }
        try await cleaningUp {
            try await fronts.apply(plan(.serving, to: server.port), to: id)
            let front = FrontSocket(place: FrontPlace(base: state.frontBase(id)))
            let process = try #require(try front.about()?.process)
            let kept = try #require(keeper(front))
            for pid in [process, kept] { kill(pid, SIGSTOP) }
            let left = try await fronts.endAbandoned(dryRun: false) { [] }
            #expect(!left.isEmpty)
            #expect(HostProcesses.state(of: process) == .gone && HostProcesses.state(of: kept) == .gone)
        }
    }

    @Test("sessions of another protocol stand beside each other, however long each is")
    func sessions() async throws {
        let (server, asked, go) = try slowServer()
        try await cleaningUp {
            try await fronts.apply(plan(.serving, to: server.port, connections: nil, isHTTP: false), to: id)
            async let first = status()
            async let second = status()
            let areBoth = await BlockingWork.run {
                (1...2).allSatisfy { _ in asked.wait(timeout: .now() + 20) == .success }
            }
            #expect(areBoth)
            for _ in 1...2 { go.signal() }
            #expect(try await [first, second] == [200, 200])
        }
    }

    @Test("a port that somebody else has is named, with who has it")
    func taken() async throws {
        let listener = try KeptServer { _ in KeptServer.answer(200, "mine") }
        try await cleaningUp {
            let error = try await #require(throws: KilnError.self) {
                try await fronts.apply(other(listener.port), to: id)
            }
            #expect(error.code == .portTaken && error.message.contains("\(listener.port)"), "\(error)")
            // Nothing of it stays in the way of what comes next.
            try await fronts.apply(plan(.out, to: nil, hold: .milliseconds(100)), to: id)
            #expect(try await status() == 503)
        }
    }

    @Test("what a machine has begun for a client may end while it drains; nothing new comes to it")
    func draining() async throws {
        let (server, asked, go) = try slowServer()
        try await cleaningUp {
            try await fronts.apply(plan(.serving, to: server.port, hold: .milliseconds(300)), to: id)
            async let slow = status()
            await BlockingWork.run { _ = asked.wait(timeout: .now() + 20) }
            try await fronts.apply(plan(.draining, to: server.port, hold: .milliseconds(300)), to: id)
            #expect(try await fronts.traffic(of: id)?.first?.connections == 1)
            #expect(try await status() == 503)
            go.signal()
            #expect(try await slow == 200)
            #expect(try await fronts.traffic(of: id)?.first?.connections == 0)
        }
    }
}
