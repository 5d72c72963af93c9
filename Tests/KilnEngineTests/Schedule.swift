import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

/// A random life of a server.
///
/// Commands, of which some calls fail or are the last of their process, then one command
/// without faults, after which all must be well. The same seed gives the same life.
struct Schedule {
    struct Violation: Error, CustomStringConvertible {
        let kind: Kind
        let description: String
    }

    /// Which promise was not kept.
    enum Kind { case lost, bothServing, neitherServing, leftovers, other }

    private enum Command: CaseIterable {
        case up, replaceGood, replaceSame, replaceBad, replaceDying, replaceStubborn, stop, start, recover
        case warmGood, warmBad, warmDying, warmStubborn, forced, rollback, rehearse
        case snapshot, clone
    }

    private let seed: UInt64
    private let world: LabTestWorld
    private let ledger = Ledger()
    /// How many lines were acknowledged.
    var acknowledged: Int { ledger.acknowledged.count }
    private var random: SeededChance
    private var trace: [String] = []

    /// - Parameter bug: a mistake that is planted, to see that it is found.
    init(seed: UInt64, plant bug: FakeWorld.Bug? = nil) throws {
        self.seed = seed
        random = SeededChance(seed: seed)
        world = try LabTestWorld(
            [
                "1": GuestBehaviour(), "2": GuestBehaviour(), "3": GuestBehaviour(.cloudInitFails),
                "4": GuestBehaviour(.switchesOff), "5": GuestBehaviour(shutdown: .ignores),
            ],
            plant: bug
        )
        let (hypervisor, ledger, server) = (world.world.hypervisor, ledger, world.id)
        world.world.faults.onCall { ledger.write(hypervisor, of: server) }
    }

    /// Lives it.
    ///
    /// - Throws: `Violation` with the seed and everything that happened.
    mutating func run() async throws {
        do {
            try await world.up()
            for _ in 0..<Int.random(in: 2...6, using: &random) { try await act() }
            try await settle()
            try await end()
        } catch {
            throw Violation(
                kind: (error as? Violation)?.kind ?? .other,
                description: "seed \(seed): \(error)\n\(trace.joined(separator: "\n"))"
            )
        }
    }

    private mutating func act() async throws {
        guard let command = Command.allCases.randomElement(using: &random) else { return }
        let faults = world.world.faults
        if Int.random(in: 0..<10, using: &random) < 8, let kind = Faults.Kind.allCases.randomElement(using: &random) {
            faults.arm(kind, at: Int.random(in: 1...60, using: &random))
        }
        let result: String
        do {
            result = try await perform(command)
        } catch {
            result = "\(error)".split(separator: "\n").first.map(String.init) ?? ""
        }
        let isCrashed = faults.isCrashed
        trace.append("\(command) [\(faults.disarm() ?? "no fault")]: \(result)")
        if isCrashed { try revive() }
        ledger.write(world.world.hypervisor, of: world.id)
        let hypervisor = world.world.hypervisor
        let writing = hypervisor.alive.filter { hypervisor.spec($0)?.volumes.isEmpty == false && $0.member == world.id }
        try check(.bothServing, "\(writing) have the volume", writing.count <= 1)
        try check(
            .bothServing,
            "QEMU refused: \(world.world.hypervisor.violations)",
            world.world.hypervisor.violations.isEmpty
        )
    }

    private func perform(_ command: Command) async throws -> String {
        switch command {
        case .up: try await "\(world.up().state)"
        case .replaceGood: try await "\(world.replace("tiny:2").outcome)"
        case .replaceSame: try await "\(world.replace("tiny:1").outcome)"
        case .replaceBad: try await "\(world.replace("tiny:3").outcome)"
        case .replaceDying: try await "\(world.replace("tiny:4").outcome)"
        case .replaceStubborn: try await "\(world.replace("tiny:5").outcome)"
        case .warmGood: try await "\(world.replace("tiny:2", .warmFirst).outcome)"
        case .warmBad: try await "\(world.replace("tiny:3", .warmFirst).outcome)"
        case .warmDying: try await "\(world.replace("tiny:4", .warmFirst).outcome)"
        case .warmStubborn: try await "\(world.replace("tiny:5", .warmFirst).outcome)"
        case .forced:
            try await
                "\(world.engine.replace(world.id, ReplaceOptions(image: ImageReference("tiny:1"), forceStop: true)).outcome)"
        case .rollback: try await "\(world.engine.rollback(world.id).outcome)"
        case .rehearse:
            try await
                "\(world.engine.replace(world.id, ReplaceOptions(image: ImageReference("tiny:2"), rehearsesFirst: true)).outcome)"
        case .stop: try await "\(world.engine.stop(world.id))"
        case .start: try await "\(world.engine.start(world.id))"
        case .recover: try await "\(String(describing: world.engine.recover(world.id)?.outcome))"
        case .snapshot: try await "\(world.engine.snapshotVolume(lab: world.id.lab, world.volume).consistency)"
        case .clone:
            try await
                "\(world.engine.cloneVolume(lab: world.id.lab, world.volume, as: Name("copy-\(trace.count)")).consistency)"
        }
    }

    // The process may have died while it appended a record, of which then only a part was written.
    private mutating func revive() throws {
        try world.world.reviveAfterCrash()
        let path = world.world.state.member(world.id) + "/journal"
        guard Int.random(in: 0..<3, using: &random) == 0, let file = FileHandle(forWritingAtPath: path) else { return }
        defer { try? file.close() }
        let torn: [UInt8] = [90, 0, 0, 0, 1, 2, 3, 4] + Array(#"{"event":{"entered":{"_0":"comm"#.utf8)
        try file.seekToEnd()
        try file.write(contentsOf: torn.prefix(Int.random(in: 1...torn.count, using: &random)))
    }

    private mutating func settle() async throws {
        if try await world.engine.status(world.id).isHalted {
            trace.append("recover: \(String(describing: try await world.engine.recover(world.id)?.outcome))")
        }
        trace.append("up: \(try await world.up().state)")
        let status = try await world.engine.status(world.id)
        let current = world.id.machine(try #require(status.generation))
        try check(
            .neitherServing,
            "\(current) does not serve: \(status)",
            status.state == .running && status.operation == nil
        )
        try check(.bothServing, "not only \(current) runs", world.world.hypervisor.alive == [current])
        let known = Set(try await world.world.hypervisor.machines().keys)
        try check(.leftovers, "old machines are left: \(known)", known == [current])
        try check(.other, "the lease is not with \(current)", try world.record().lease?.machine == current)
        let frozen = world.world.guests.frozenMachines.intersection([current])
        try check(.other, "the guest of \(current) is frozen", frozen.isEmpty)
        try check(.leftovers, "ports are still reserved", world.world.ports.reservations == 0)
        let others = (1..<current.generation.number + 10).map(world.machine).filter { $0 != current }
        let seeds = others.map(world.world.state.seed).filter(world.exists)
        try check(.leftovers, "\(seeds) are left", seeds.isEmpty)
        let roots = others.map(world.world.state.rootOverlay).filter(world.exists)
        try check(.leftovers, "\(roots) are left, and one is kept", roots.count <= 1)
        try checkLedger()
        try check(.other, "an image changed", try FakeDisks.written(world.world.root + "/images/tiny-1.qcow2").isEmpty)
    }

    private mutating func end() async throws {
        try await world.engine.down(world.id.lab)
        trace.append("down")
        try check(.leftovers, "machines are left", try await world.world.hypervisor.machines().isEmpty)
        try check(.leftovers, "the lab is left", !world.exists(world.world.state.lab(world.id.lab)))
        try check(.leftovers, "the lease is left", try world.record().lease == nil)
        try checkLedger()
    }

    private func checkLedger() throws {
        let (written, acknowledged) = (try world.written(), ledger.acknowledged)
        try check(
            .lost,
            "lost \(Set(acknowledged).subtracting(written).sorted()), \(acknowledged.count) acknowledged, "
                + "\(written.count) written",
            written == acknowledged
        )
    }

    private func check(_ kind: Kind, _ problem: @autoclosure () -> String, _ holds: Bool) throws {
        if !holds { throw Violation(kind: kind, description: problem()) }
    }
}
