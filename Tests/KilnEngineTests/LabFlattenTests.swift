import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@Suite("Roots that become disks of their own")
struct LabFlattenTests {
    @Test("the root of a machine that is off becomes a disk that stands alone")
    func off() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let file = world.world.root + "/flat"
        try await world.engine.stop(world.id)
        try await world.engine.flatten(world.id, to: file)
        #expect(FileManager.default.fileExists(atPath: file))
    }

    @Test("nothing is made of the root of a machine that runs, or that a process still has")
    func held() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let file = world.world.root + "/flat"
        let alive = try await #require(throws: KilnError.self) {
            try await world.engine.flatten(world.id, to: file)
        }
        #expect(alive.code == .machineAlive && alive.exit == .blocked)
        let root = try #require(world.world.hypervisor.spec(world.machine(1))?.root.path)
        try await world.engine.stop(world.id)
        world.world.holders.hold(root, by: FileHolder(pid: 4711, name: "qemu-nbd"))
        let held = try await #require(throws: KilnError.self) {
            try await world.engine.flatten(world.id, to: file)
        }
        #expect(held.code == .machineAlive && held.message.contains("qemu-nbd (pid 4711)"))
        #expect(!FileManager.default.fileExists(atPath: file))
        world.world.holders.hold(root, by: nil)
        try await world.engine.flatten(world.id, to: file)
    }

    @Test("a root is listed while its machine runs, which writes on then")
    func listing() async throws {
        let world = try LabTestWorld()
        try await world.up()
        let listing = try await world.engine.listing(ofRootOf: world.id)
        #expect(listing.entries[.root]?.kind == .directory)
        #expect(world.world.guests.frozenMachines.isEmpty && world.world.roots.remaining == 0)
    }
}
