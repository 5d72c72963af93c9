import Foundation
import KilnEngine
import KilnModel
import LibvirtKit
import LibvirtXML
import Testing

@testable import KilnHost

/// The contract of `MachineControl` as far as libvirt's test driver can honour it.
@Suite("Machines on libvirt's test driver")
struct LibvirtMachinesTests {
    private let directory: TestDirectory
    private let session: HypervisorSession
    private let machines: LibvirtMachines

    init() throws {
        directory = try TestDirectory()
        let node = directory.path + "/node.xml"
        let foreign = """
            <domain type='test'><name>kiln.foreign</name><memory>1024</memory><os><type>hvm</type></os></domain>
            """
        try Data("<node>\(foreign)</node>".utf8).write(to: URL(fileURLWithPath: node))
        session = HypervisorSession { "test://\(node)" }
        machines = LibvirtMachines(
            session: session,
            platform: Platform(acceleration: .tcg),
            user: nil,
            owner: nil,
            // The test driver knows one type of domain and none of our devices.
            document: { spec in
                let xml = try DomainDocument.xml(for: spec)
                let metadata = try #require(xml.firstRange(of: /(?s)<metadata>.*<\/metadata>/))
                return """
                    <domain type='test'><name>\(spec.id.domainName)</name><uuid>\(spec.uuid)</uuid>\(xml[metadata])
                    <memory>1024</memory><os><type>hvm</type></os></domain>
                    """
            }
        )
    }

    private func spec(_ generation: Int = 1) throws -> MachineSpec {
        let id = MemberID(lab: try Name("lab"), server: try Name("web")).machine(Generation(generation))
        return MachineSpec(
            id: id,
            uuid: UUID(),
            platform: Platform(acceleration: .tcg),
            size: MachineSize(memory: .mebibytes(64), processors: 1),
            boot: .firmware(.bios, serial: ""),
            root: MachineSpec.Disk(path: "/root.qcow2", backing: []),
            seed: nil,
            volumes: [],
            network: .open,
            consoleSocket: "/c",
            consoleLog: directory.path + "/console.log",
            agentSocket: "/a",
            ledgerSocket: "/l",
            user: nil
        )
    }

    @Test("a wait for an agent ends when its command is interrupted, and not when the agent comes")
    func interruptedWait() async throws {
        let spec = try spec()
        try await machines.define(spec)
        try await machines.start(spec.id, forwards: [])
        let guests = AgentGuests(session: session)
        let wait = Task { try await guests.awaitAgent(spec.id, within: .seconds(900)) }
        try await Task.sleep(for: .milliseconds(200))
        let begin = ContinuousClock.now
        wait.cancel()
        await #expect(throws: CancellationError.self) { try await wait.value }
        #expect(ContinuousClock.now - begin < .seconds(400))
    }

    @Test("a machine is absent, off, running, off and absent again; every step can be repeated")
    func life() async throws {
        let spec = try spec()
        #expect(try await machines.state(of: spec.id) == .absent)
        #expect(try await machines.definition(of: spec.id) == nil)
        for _ in 0..<2 { try await machines.define(spec) }
        #expect(try await machines.state(of: spec.id) == .off)
        try await machines.start(spec.id, forwards: [])
        #expect(try await machines.state(of: spec.id) == .running)
        #expect(try await machines.waitUntilOff(spec.id, within: .milliseconds(10)) == false)
        for _ in 0..<2 { try await machines.powerOff(spec.id) }
        #expect(try await machines.waitUntilOff(spec.id, within: .zero))
        #expect(try await machines.definition(of: spec.id)?.contains("kiln.lab.web.1") == true)
        for _ in 0..<2 { try await machines.undefine(spec.id) }
        #expect(try await machines.state(of: spec.id) == .absent)
    }

    @Test("what libvirt remembers of a machine's last life is gone once the machine is defined anew")
    func definedAnew() async throws {
        let spec = try spec()
        try await machines.define(spec)
        try await machines.start(spec.id, forwards: [])
        let running = await #expect(throws: KilnError.self) { try await machines.define(spec) }
        #expect(running?.code == .machineNotOff)
        try await machines.powerOff(spec.id)
        let lastLife = try await stateReason(spec.id)
        try await machines.define(spec)
        // libvirt does not tell whether it holds an agent for failed; why the machine is off goes with that.
        #expect(try await stateReason(spec.id) != lastLife)
    }

    private func stateReason(_ machine: MachineID) async throws -> DomainStateReason? {
        try await machines.session.read("test") { try await $0.domain(named: machine.domainName)?.stateReason }
    }

    @Test("a listing holds all machines, and no other domain")
    func listing() async throws {
        #expect(try await machines.machines().isEmpty)
        let first = try spec(1)
        let second = try spec(2)
        try await machines.define(first)
        try await machines.define(second)
        try await machines.start(second.id, forwards: [])
        #expect(try await machines.machines() == [first.id: .off, second.id: .running])
    }

    @Test("the end of a machine wakes who waits for it")
    func waiting() async throws {
        let spec = try spec()
        try await machines.define(spec)
        try await machines.start(spec.id, forwards: [])
        async let isOff = machines.waitUntilOff(spec.id, within: .seconds(30))
        try await machines.powerOff(spec.id)
        #expect(try await isOff)
    }

    @Test("a machine that runs is not forgotten, one that is absent is not started")
    func refusals() async throws {
        let spec = try spec()
        let absent = await #expect(throws: KilnError.self) { try await machines.start(spec.id, forwards: []) }
        #expect(absent?.code == .machineAbsent)
        try await machines.define(spec)
        try await machines.start(spec.id, forwards: [])
        let running = await #expect(throws: KilnError.self) { try await machines.undefine(spec.id) }
        #expect(running?.code == .machineNotOff)
        #expect(try await machines.state(of: spec.id) == .running)
    }

    @Test("a start whose ports can't be published leaves the machine off")
    func failedStart() async throws {
        let spec = try spec()
        try await machines.define(spec)
        // The test driver has no monitor.
        let error = await #expect(throws: KilnError.self) {
            try await machines.start(spec.id, forwards: [PortForward(host: 20_000, guest: 80)])
        }
        #expect(error?.code == .hypervisorFailed)
        #expect(try await machines.state(of: spec.id) == .off)
    }

    @Test("a hypervisor that can't be reached is an error of its own")
    func unreachable() async throws {
        let session = HypervisorSession { "qemu+unix:///session?socket=/nonexistent/socket" }
        let machines = LibvirtMachines(session: session, platform: Platform(acceleration: .tcg), user: nil, owner: nil)
        let error = await #expect(throws: KilnError.self) { try await machines.machines() }
        #expect(error?.code == .hypervisorUnreachable)
        #expect(error?.exit == .unreachable)
    }
}
