import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnEngine

@Suite("Members of a server")
struct LabMembersTests {
    private let world: LabTestWorld
    private var fronts: FakeFronts { world.world.fronts }
    private var server: ServerID { world.id.whole }

    init() throws { world = try LabTestWorld() }

    private func spec(_ replicas: Int, from source: FleetSpec.VolumeSource = .clone(ordinal: nil)) throws -> ServerSpec
    {
        var spec = try world.spec()
        spec.drainTimeout = .milliseconds(60)
        spec.fleet = FleetSpec(replicas: replicas, volumeFrom: source)
        return spec
    }

    @discardableResult
    private func up(_ spec: ServerSpec) async throws -> [ServerStatus] {
        try await world.engine.up(world.lab([world.id.server: spec]))
    }

    private func written(_ volume: String) throws -> [String] {
        try world.world.written(lab: world.id.lab, volume: Name(volume))
    }

    private func serving() -> [Int] {
        fronts.plan(server)?.slots.filter { $0.standing == .serving }.map(\.ordinal) ?? []
    }

    private func notes() -> [String] {
        world.world.progress.compactMap { if case .note(let text) = $0 { text } else { nil } }
    }

    @Test("each has its own volume, generations and ports, behind one published port")
    func up() async throws {
        let found = try await up(spec(3))
        #expect(found.map(\.ordinal) == [0, 1, 2] && found.allSatisfy { $0.state == .running && $0.isIn == true })
        #expect(found.map { $0.volumes.keys.map(\.text) } == [["data"], ["data-1"], ["data-2"]])
        #expect(Set(found.compactMap { $0.ports.values.first?.host }).count == 1)
        let slots = try #require(fronts.plan(server)).slots.filter { $0.standing == .serving }
        #expect(slots.map(\.ordinal) == [0, 1, 2] && Set(slots.flatMap(\.ports.values)).count == 3)
        let names = world.world.hypervisor.alive.map(\.domainName).sorted()
        #expect(names == ["kiln.lab.web.1", "kiln.lab.web.1.1", "kiln.lab.web.2.1"])
    }

    @Test("members that are started at once get ports that no other one has")
    func atOnce() async throws {
        _ = try await world.engine.up(world.lab([world.id.server: spec(16)]), jobs: 16)
        let ports = try #require(fronts.plan(server)).slots.flatMap(\.ports.values)
        #expect(ports.count == 16 && Set(ports).count == 16)
    }

    @Test("the first is what the server was before it had others: scaling out and in renames nothing")
    func renamesNothing() async throws {
        try await up(spec(1))
        let before = try world.files().filter { $0.contains("servers/web/generations") }
        _ = try await world.engine.scale(server, to: 3)
        _ = try await world.engine.scale(server, to: 1)
        #expect(try world.files().filter { $0.contains("servers/web/generations") } == before)
        #expect(world.engine.members(of: server) == [world.id] && serving() == [0])
    }

    @Test("a new member begins with a copy of what the first one has, and 'after-clone' runs in it once")
    func clones() async throws {
        var spec = try spec(1)
        spec.afterClone = [Hook(["/bin/become-another"])]
        try await up(spec)
        world.write("first", by: 1)
        _ = try await world.engine.scale(server, to: 2)
        #expect(try written("data-1") == ["first"])
        let hooks = { [world] in
            world.world.guests.commands(of: "/bin/become-another").map(\.machine.member.ordinal)
        }
        #expect(hooks() == [1])
        #expect(try await world.engine.replace(server.member(1)).outcome == .committed)
        #expect(hooks() == [1])
        #expect(try world.written() == ["first"])
    }

    @Test("members that come together begin with the same state, for which the original gets one layer more")
    func sameState() async throws {
        try await up(spec(1))
        world.write("first", by: 1)
        let layers = { [world] in try world.engine.volumes.record(lab: world.id.lab, Name("data"))?.layers.count }
        let before = try #require(try layers())
        _ = try await world.engine.scale(server, to: 4)
        for volume in ["data-1", "data-2", "data-3"] { #expect(try written(volume) == ["first"]) }
        #expect(try layers() == before + 1)
    }

    @Test("what has damage is copied for nobody: nothing comes, nothing is left, and who serves goes on")
    func damaged() async throws {
        try await up(spec(1))
        world.write("damage", by: 1)
        let error = try await #require(throws: KilnError.self) { try await world.engine.scale(server, to: 3) }
        #expect(error.code == .volumeDamaged && error.message.contains("volume lab/data is damaged"), "\(error)")
        #expect(serving() == [0] && world.world.hypervisor.alive.count == 1)
        #expect(world.engine.volumes.readableList().volumes.map(\.name.text) == ["data"])
        #expect(try world.engine.volumes.retained().isEmpty)
    }

    @Test("before anybody serves there is nothing to copy, and 'empty' copies nothing later either")
    func empty() async throws {
        try await up(spec(2))
        #expect(try written("data-1").isEmpty)
        world.write("first", by: 1)
        try await up(spec(3, from: .empty))
        #expect(try written("data-2").isEmpty)
    }

    @Test("one that goes leaves its volume retained, and one that comes again takes it up and says so")
    func retained() async throws {
        try await up(spec(2))
        #expect(world.world.hypervisor.write("mine", by: server.member(1).machine(Generation(1))))
        _ = try await world.engine.scale(server, to: 1)
        #expect(serving() == [0])
        #expect(try world.engine.volumes.retained().count == 1)
        _ = try await world.engine.scale(server, to: 2)
        #expect(try written("data-1") == ["mine"] && world.engine.volumes.retained().isEmpty)
        #expect(notes().contains { $0.contains("lab/web.1 takes up its retained volume") })
    }

    @Test("'drain' hooks run in one that goes, without clients and before it is asked to stop; one that fails is told")
    func drains() async throws {
        for status in [0, 1] as [Int32] {
            var spec = try spec(2)
            spec.drain = [Hook(["/drain/one"])]
            try await up(spec)
            let (guests, faults) = (world.world.guests, world.world.faults)
            let before = guests.commands(of: "/drain/").count
            guests.answer("/drain/one") { [self] _ in serving() == [0] ? status : 2 }
            faults.before("requestShutdown") { #expect(guests.commands(of: "/drain/").count == before + 1) }
            _ = try await world.engine.scale(server, to: 1)
            faults.before("requestShutdown", nil)
            #expect(guests.commands(of: "/drain/").last?.machine.member == server.member(1))
            #expect(world.engine.members(of: server) == [world.id] && serving() == [0])
            #expect(notes().contains { $0.contains("goes without its drain") } == (status == 1))
        }
    }

    @Test("'web' means all of them, 'web.1' one; what is for one names them")
    func names() async throws {
        try await up(spec(2))
        #expect(try world.engine.members(named: "web").map(\.ordinal) == [0, 1])
        #expect(try world.engine.member(named: "lab/web.1") == server.member(1))
        #expect(try world.engine.member(named: "web.0") == world.id)
        let error = #expect(throws: KilnError.self) { try world.engine.member(named: "web") }
        #expect(error?.code == .serverSeveral && error?.hint?.contains("lab/web.0, lab/web.1") == true)
        #expect(throws: KilnError.self) { try world.engine.member(named: "web.7") }
        #expect(try world.engine.server(named: "web") == server)
        let whole = #expect(throws: KilnError.self) { try world.engine.server(named: "web.1") }
        #expect(
            whole?.code == .serverSeveral && whole?.hint?.contains("'lab/web'") == true,
            "not all for one: \(whole as Any)"
        )
    }

    @Test("after 'down' a member without a volume of its own begins with a copy of what was kept, as 'up' says before")
    func kept() async throws {
        try await up(spec(2))
        world.write("first", by: 1)
        try await world.engine.down(world.id.lab)
        let three = try spec(3)
        let plan = try await world.engine.plan(world.lab([world.id.server: three]))
        #expect(
            plan.volumes.map(\.name.text) == ["data-2"] && plan.volumes.first?.comesFrom == "begins as a copy of data"
        )
        try await up(three)
        #expect(try written("data-2") == ["first"] && written("data-1").isEmpty)
        _ = try await world.engine.scale(server, to: 2)
        let again = try await world.engine.plan(world.lab([world.id.server: three]))
        #expect(
            again.volumes.first?.comesFrom?.hasPrefix("takes up its retained volume lab.data-2.") == true,
            "\(again.volumes)"
        )
    }

    @Test("a replacement of one leaves the others alone, and they serve meanwhile")
    func replacesOne() async throws {
        try await up(spec(2))
        world.world.faults.before("requestShutdown") { [self] in #expect(serving() == [0]) }
        #expect(try await world.engine.replace(server.member(1)).outcome == .committed)
        let found = try await world.engine.statuses(world.id.lab)
        #expect(found.map(\.generation) == [Generation(1), Generation(2)] && serving() == [0, 1])
    }

    @Test("while a rollout goes on, nobody replaces a member beside it, and it begins only when nobody does")
    func besideRollout() async throws {
        try await up(spec(2))
        let files = RolloutFiles(server: server, state: world.engine.state)
        var lock: FileLock? = try await files.lock()
        let others: [@Sendable () async throws -> Void] = [
            { [world] in _ = try await world.engine.replace(world.id) },
            { [world] in _ = try await world.engine.rollback(world.id) },
            { [world] in try await world.engine.down(world.id.lab) },
        ]
        for other in others {
            let error = await #expect(throws: KilnError.self) { try await other() }
            #expect(
                error?.code == .lockHeld && error?.message.contains("rollout of lab/web") == true,
                "\(error as Any)"
            )
        }
        #expect(serving() == [0, 1])
        lock = nil
        #expect(try await world.engine.replace(world.id).outcome == .committed)
        lock = try files.lockOut()
        let other = await #expect(throws: KilnError.self) { try await world.engine.rollOut(server) }
        #expect(other?.code == .lockHeld && lock != nil)
    }

    @Test("a server that was launched without replicas gets others only once it stands behind a front")
    func turning() async throws {
        try await world.up(world.spec())
        let error = await #expect(throws: KilnError.self) { try await up(spec(2)) }
        #expect(error?.code == .serverNotReplicated && error?.hint?.contains("kiln replace lab/web.0") == true)
        #expect(try await world.engine.replace(world.id).outcome == .committed)
        try await up(spec(2))
        #expect(serving() == [0, 1])
    }

    @Test("one that declares no replicas can't be scaled, and nobody has more than there are ordinals")
    func refused() async throws {
        try await world.up(world.spec())
        let error = await #expect(throws: KilnError.self) { try await world.engine.scale(server, to: 2) }
        #expect(error?.code == .serverNotReplicated)
        try await up(spec(1))
        let many = await #expect(throws: KilnError.self) { try await world.engine.scale(server, to: 17) }
        #expect(many?.code == .serverReplicas)
    }

    @Test("'down' takes all of them away, and the front; the volumes stay")
    func down() async throws {
        try await up(spec(3))
        try await world.engine.down(world.id.lab)
        #expect(
            try world.engine.members().isEmpty && world.world.hypervisor.alive.isEmpty && fronts.plan(server) == nil
        )
        #expect(world.engine.volumes.names(of: world.id.lab).map(\.text) == ["data", "data-1", "data-2"])
    }

    @Test(
        "the first is launched alone, so that what is wrong is told once; but not those that begin empty, nor who served before"
    )
    func firstAlone() async throws {
        func isFirstAlone(_ source: FleetSpec.VolumeSource) throws -> Bool {
            try world.engine.isFirstAlone(server, world.lab([world.id.server: spec(3, from: source)]))
        }
        #expect(try isFirstAlone(.clone(ordinal: nil)) && !isFirstAlone(.empty))
        try await up(spec(1))
        #expect(try !isFirstAlone(.clone(ordinal: nil)))
    }

    @Test("a member whose boot fails leaves the others as they are, and its place in the front empty")
    func fails() async throws {
        try await up(spec(1))
        world.world.faults.fail("define", with: KilnError("fake.failed", "no", exit: .aborted))
        await #expect(throws: KilnError.self) { try await world.engine.scale(server, to: 2) }
        #expect(serving() == [0] && fronts.plan(server)?[1].generation == nil)
    }
}
