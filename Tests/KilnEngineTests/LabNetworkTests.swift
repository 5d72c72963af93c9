import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnEngine

@Suite("Networks of a lab")
struct LabNetworkTests {
    private let world: LabTestWorld
    private let lan: NetworkID
    private let db: Name

    init() throws {
        world = try LabTestWorld()
        lan = NetworkID(lab: world.id.lab, network: try Name("lan"))
        db = try Name("db")
    }

    private var networks: FakeNetworks { world.world.networks }

    private func server(_ image: String = "tiny:1") throws -> ServerSpec {
        var spec = ServerSpec(image: try ImageReference(image), stopTimeout: .milliseconds(60))
        spec.networks = [lan.network]
        return spec
    }

    private func lab(_ names: [Name]) throws -> LabSpec {
        let servers = try names.map { ($0, try server()) }
        return LabSpec(
            name: world.id.lab,
            volumes: [:],
            servers: Dictionary(uniqueKeysWithValues: servers),
            networks: [lan.network]
        )
    }

    private func port(of machine: MachineID) -> SwitchPort? {
        networks.table(lan)?.ports.first { $0.machine == machine }
    }

    private func address(_ server: Name) async throws -> NetworkAddress? {
        try await world.engine.status(MemberID(lab: lan.lab, server: server)).networks[lan.network]
    }

    @Test(
        "each server gets an address of its own, and every replacement keeps it with its card",
        arguments: Strategy.allCases
    )
    func keepsAddress(_ strategy: Strategy) async throws {
        _ = try await world.engine.up(lab([world.id.server, db]))
        let before = try #require(try await address(world.id.server))
        #expect(try await address(db) != before)
        let old = try #require(world.world.hypervisor.spec(world.machine(1))?.cards.first)
        let oldPort = try #require(port(of: world.machine(1)))
        #expect(oldPort.mac == old.mac && oldPort.address == before && oldPort.card == old.socket)
        #expect(try await world.replace("tiny:2", strategy).outcome == .committed)
        let new = try #require(world.world.hypervisor.spec(world.machine(2))?.cards.first)
        #expect(try await address(world.id.server) == before)
        #expect(new.mac == old.mac && new.socket != old.socket && new.port != old.port)
        #expect(networks.owner(of: world.id.server, on: lan) == world.machine(2))
        #expect(port(of: world.machine(1)) == nil)
    }

    @Test("warm-first: nothing reaches the new machine before the old one is off, and everything after")
    func warmLink() async throws {
        _ = try await world.engine.up(lab([world.id.server]))
        let (old, new, networks) = (world.machine(1), world.machine(2), networks)
        let (server, lan) = (world.id.server, lan)
        world.world.faults.before("requestShutdown") {
            #expect(networks.table(lan)?.ports.map(\.machine) == [old, new])
            #expect(networks.owner(of: server, on: lan) == old)
        }
        #expect(try await world.replace("tiny:2", .warmFirst).outcome == .committed)
        #expect(networks.owner(of: server, on: lan) == new)
    }

    @Test("a warm-first replacement that is given up leaves the address where it was", arguments: Strategy.allCases)
    func givenUp(_ strategy: Strategy) async throws {
        try world.world.images.add("bad", GuestBehaviour(.cloudInitFails))
        _ = try await world.engine.up(lab([world.id.server]))
        #expect(try await world.replace("tiny:bad", strategy).outcome != .committed)
        #expect(networks.owner(of: world.id.server, on: lan) == world.machine(1))
        #expect(port(of: world.machine(2)) == nil)
    }

    @Test("the seed has the card's address and the names of all servers on the network")
    func seed() async throws {
        _ = try await world.engine.up(lab([world.id.server, db]))
        let path = world.world.state.seed(world.machine(1))
        let files = try #require(world.world.seeds.files(path))
        let own = try #require(try await address(world.id.server))
        let other = try #require(try await address(db))
        let config = try #require(files["network-config"])
        #expect(config.contains("\"\(own)/24\"") && config.contains("\"\(MACAddress(of: own))\""))
        #expect(config.contains("\"optional\" : true") && !config.contains("gateway") && !config.contains("set-name"))
        let data = try #require(files["user-data"])
        #expect(data.contains("\(own) web") && data.contains("\(other) db"))
    }

    @Test("a server that is declared later is named as unknown to those that run, and known to their next machines")
    func later() async throws {
        _ = try await world.engine.up(lab([world.id.server]))
        let before = try await address(world.id.server)
        _ = try await world.engine.up(lab([world.id.server, db]))
        let notes = world.world.progress.compactMap { if case .note(let text) = $0 { text } else { nil } }
        #expect(notes.contains { $0.contains("lab/web#1") && $0.contains("before db ") }, "\(notes)")
        #expect(try await address(world.id.server) == before)
        _ = try await world.replace("tiny:2")
        let told = world.world.progress.count
        _ = try await world.engine.up(lab([world.id.server, db]))
        #expect(!world.world.progress.dropFirst(told).contains { if case .note = $0 { true } else { false } })
    }

    @Test("a switch that died with its parent comes back with the next 'up', and the machine is left alone")
    func switchBack() async throws {
        _ = try await world.engine.up(lab([world.id.server]))
        networks.kill(lan)
        _ = try await world.engine.up(lab([world.id.server]))
        #expect(networks.owner(of: world.id.server, on: lan) == world.machine(1))
        #expect(world.world.hypervisor.starts(world.machine(1)) == 1)
    }

    @Test("'down' ends the switch; 'gc' ends that of a lab that is gone, and no other")
    func ends() async throws {
        _ = try await world.engine.up(lab([world.id.server]))
        let stray = NetworkID(lab: try Name("gone"), network: lan.network)
        try await networks.change(stray, [])
        #expect(try await world.engine.collectGarbage(dryRun: true).contains("switch gone/lan"))
        #expect(networks.running == [lan, stray])
        _ = try await world.engine.collectGarbage()
        #expect(networks.running == [lan])
        try await world.engine.down(lan.lab)
        #expect(networks.running.isEmpty && !world.exists(world.world.state.lab(lan.lab)))
    }

    @Test("forty servers on one network have forty addresses and cards")
    func forty() async throws {
        let names = try (0..<40).map { try Name("server-\($0)") }
        _ = try await world.engine.up(lab(names))
        let ports = try #require(networks.table(lan)?.ports)
        #expect(ports.count == 40 && Set(ports.map(\.address)).count == 40 && Set(ports.map(\.mac)).count == 40)
        #expect(Set(ports.flatMap { [$0.socket, $0.card] }).count == 80)
        try await world.engine.down(lan.lab)
    }

    @Test("a book has two hundred addresses on a network, refuses the next server by name, and keeps those it gave")
    func full() throws {
        let names = try (0..<200).map { try Name("server-\($0)") }
        var book = NetworkBook()
        try book.fill(try lab(names))
        let before = book.networks[lan.network]?.addresses
        #expect(Set((before ?? [:]).values).count == 200)
        let error = #expect(throws: KilnError.self) { try book.fill(try lab(names + [try Name("zz")])) }
        #expect(error?.code == .networkFull && error?.message.contains("zz") == true)
        #expect(book.networks[lan.network]?.addresses == before)
        book.forget(names[7])
        try book.fill(try lab([try Name("zz")]))
        #expect(book.networks[lan.network]?.addresses[try Name("zz")] == before?[names[7]])
    }

    @Test("two networks of a lab never share addresses, and one looks the same in every lab")
    func bases() throws {
        let all = try (0..<50).map { try Name("net-\($0)") }
        var book = NetworkBook()
        try book.fill(LabSpec(name: try Name("one"), volumes: [:], servers: [:], networks: all))
        #expect(Set(book.networks.values.map(\.base)).count == 50)
        let alone = try ["two", "three"].map { lab in
            var book = NetworkBook()
            try book.fill(LabSpec(name: try Name(lab), volumes: [:], servers: [:], networks: [all[3]]))
            return try #require(book.networks[all[3]]).base
        }
        #expect(alone[0] == alone[1])
    }

    @Test("an image that takes no metadata is refused by name")
    func noReader() async throws {
        try world.world.images.add("plain", cloudInit: .none)
        let spec = try server("tiny:plain")
        let lab = LabSpec(name: lan.lab, volumes: [:], servers: [db: spec], networks: [lan.network])
        let error = try await #require(throws: KilnError.self) { _ = try await world.engine.up(lab) }
        #expect(error.code == .networkNoReader && error.message.contains("tiny:plain"))
    }
}
