import KilnEngine
import KilnModel
import Synchronization
import Testing

@testable import KilnHost

@Suite("The way into a guest")
struct GuestWaysTests {
    /// Answers with its name, or with an error.
    private final class Way: GuestAccess {
        let name: String
        let way: GuestWay
        let error: Mutex<KilnError?>

        init(_ way: GuestWay, _ error: KilnError?) {
            name = way.rawValue
            self.way = way
            self.error = Mutex(error)
        }

        private func check() throws { if let error = error.withLock({ $0 }) { throw error } }

        func awaitAgent(_ machine: MachineID, within deadline: Duration) async throws { try check() }
        func awaitWay(into machine: MachineID, within deadline: Duration) async throws -> GuestWay {
            try check()
            return way
        }
        func run(_ command: GuestCommand, in machine: MachineID) async throws -> GuestCommandResult {
            try check()
            return GuestCommandResult(status: 0, output: Array(name.utf8), errors: [])
        }
        func read(_ path: String, in machine: MachineID, limit: Int) async throws -> [UInt8]? { Array(name.utf8) }
        func write(_ content: [UInt8], to path: String, in machine: MachineID) async throws { try check() }
        func freeze(_ machine: MachineID, within deadline: Duration) async throws { try check() }
        func thaw(_ machine: MachineID, within deadline: Duration) async throws { try check() }
    }

    private let machine: MachineID
    private let absent = KilnError(.guestNoAgent, "no agent runs", exit: .deadline)
    private let silent = KilnError(.guestSSHSilent, "sshd is silent", hint: "look", exit: .deadline)
    private let route = GuestRoute(port: 1, hostKey: "k", identity: "i", knownHosts: "h")

    init() throws { machine = MemberID(lab: try Name("lab"), server: try Name("web")).machine(Generation(1)) }

    private func ways(
        agent: KilnError?,
        ssh: KilnError? = nil,
        found: GuestWay? = nil,
        hasRoute: Bool = true,
        isSetUp: Bool = true
    ) -> GuestWays {
        let entrance = GuestEntrance(
            found: found,
            route: hasRoute ? route : nil,
            isSetUp: isSetUp,
            mayUseSSH: isSetUp
        )
        return GuestWays(agents: Way(.agent, agent), ssh: Way(.ssh, ssh)) { _ in entrance }
    }

    private func answer(_ ways: GuestWays) async throws -> String {
        String(decoding: try await ways.run(GuestCommand(["x"]), in: machine).output, as: UTF8.self)
    }

    @Test("the agent comes first, and SSH once the guest's set-up has ended without one")
    func order() async throws {
        #expect(try await answer(ways(agent: nil)) == "agent")
        #expect(try await answer(ways(agent: absent)) == "ssh")
        #expect(try await ways(agent: absent).awaitWay(into: machine, within: .zero) == .ssh)
        let booting = ways(agent: absent, isSetUp: false)
        #expect(await #expect(throws: KilnError.self) { try await answer(booting) }?.code == .guestNoAgent)
        let bare = ways(agent: absent, hasRoute: false)
        #expect(await #expect(throws: KilnError.self) { try await answer(bare) }?.code == .guestNoAgent)
    }

    @Test("what was written down is used without asking anybody else")
    func known() async throws {
        #expect(try await answer(ways(agent: nil, found: .ssh)) == "ssh")
        let lost = ways(agent: absent, found: .agent)
        #expect(await #expect(throws: KilnError.self) { try await answer(lost) }?.code == .guestNoAgent)
        #expect(try await answer(ways(agent: nil, found: .closed)) == "agent")
    }

    @Test("where neither way is there the error names both")
    func neither() async throws {
        let closed = ways(agent: absent, ssh: silent)
        let error = await #expect(throws: KilnError.self) { try await answer(closed) }
        #expect(error?.code == .guestNoAgent)
        #expect(error?.message == "no agent runs, and sshd is silent")
        #expect(error?.hint == "look")
    }

    @Test("another host key is fatal once the guest is set up")
    func hostKey() async throws {
        let differs = KilnError(.guestHostKeyDiffers, "differs", exit: .aborted)
        let set = ways(agent: absent, ssh: differs)
        let error = await #expect(throws: KilnError.self) {
            try await set.awaitWay(into: machine, within: .seconds(60))
        }
        #expect(error?.code == .guestHostKeyDiffers)
    }

    @Test("an agent that hangs is not gone around: it may hold what SSH would not see")
    func hangs() async throws {
        let hung = ways(agent: KilnError(.guestAgentSilent, "hangs", exit: .deadline))
        #expect(await #expect(throws: KilnError.self) { try await answer(hung) }?.code == .guestAgentSilent)
    }

    @Test("a machine that is off is told so, and not that its server is silent")
    func off() async throws {
        let off = KilnError(.guestMachineOff, "off", exit: .blocked)
        let ways = self.ways(agent: off, ssh: silent, found: .ssh)
        #expect(await #expect(throws: KilnError.self) { try await answer(ways) }?.code == .guestMachineOff)
    }
}
