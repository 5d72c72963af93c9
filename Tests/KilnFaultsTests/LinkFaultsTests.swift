import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnFaults

@Suite("Faults of one link at the same time")
struct LinkFaultsTests {
    private let world: FakeWorld
    private let links: LinkFaults
    private let lan: NetworkID
    private let web: Name

    init() throws {
        world = try FakeWorld()
        links = LinkFaults(world.networks)
        lan = NetworkID(lab: try Name("lab"), network: try Name("lan"))
        web = try Name("web")
    }

    private var told: LinkFault? { world.networks.table(lan)?.faults[web] }

    @Test("the switch is told what they do together, and one that ends leaves the others, in whatever order they end")
    func together() async throws {
        let slow = try await links.begin(LinkFault(delay: 40), of: web, on: lan)
        let lossy = try await links.begin(LinkFault(loss: 500), of: web, on: lan)
        let cut = try await links.begin(LinkFault(isCut: true, delay: 2, loss: 200), of: web, on: lan)
        #expect(told == LinkFault(isCut: true, delay: 42, loss: 600))
        try await links.change(slow, to: nil)
        #expect(told == LinkFault(isCut: true, delay: 2, loss: 600))
        try await links.change(cut, to: nil)
        #expect(told == LinkFault(loss: 500))
        try await links.change(lossy, to: nil)
        #expect(told == nil)
    }

    @Test("one that the switch refused is not among them, and a switch that is gone is not started to forget one")
    func refused() async throws {
        let slow = try await links.begin(LinkFault(delay: 40), of: web, on: lan)
        world.faults.fail("changeNetwork", with: KilnError(.internalFault, "the switch is stuck"))
        await #expect(throws: KilnError.self) {
            _ = try await links.begin(LinkFault(isCut: true), of: web, on: lan)
        }
        world.faults.fail("changeNetwork", with: nil)
        let lossy = try await links.begin(LinkFault(loss: 10), of: web, on: lan)
        #expect(told == LinkFault(delay: 40, loss: 10))
        world.networks.kill(lan)
        try await links.change(slow, to: nil)
        try await links.change(lossy, to: nil)
        #expect(world.networks.running.isEmpty)
    }

    @Test("a network that is split can't be split again until it is whole")
    func split() async throws {
        let sets = [[web], [try Name("db")]]
        try await links.split(lan, sets)
        await #expect(throws: KilnError.self) { try await links.split(lan, sets) }
        try await links.mend(lan)
        #expect(world.networks.table(lan)?.sets.isEmpty == true)
        try await links.split(lan, sets)
    }
}
