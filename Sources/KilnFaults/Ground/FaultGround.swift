import Foundation
import KilnEngine
import KilnModel
import KilnSystem

/// What faults are made in: one lab, on the parts of its engine.
package struct FaultGround: Sendable {
    /// The lab, which belongs to whoever makes the faults.
    package let lab: LabSpec
    let engine: LabEngine
    let host: any HostControl
    let links: LinkFaults
    /// What works on the lab besides the run's own process.
    package let kilns = KilnsAtWork()
    private let home: (any OwnHome)?
    private let seed: RunSeed
    /// The image that is meant: another one than it says where the run is locked to that.
    ///
    /// Throws `lab.lock-stale`.
    let pinned: @Sendable (ImageReference) throws -> ImageReference
    /// Which fault it is that is made, among those that draw from the seed.
    private var occasion = ""

    /// The ground of a run's faults; what they leave to chance comes from `seed`.
    ///
    /// - Parameters:
    ///   - home: where faults of the host may be made; nothing means nowhere.
    ///   - pinned: the image that a name stands for, where the run is locked to it.
    package init(
        lab: LabSpec,
        engine: LabEngine,
        host: any HostControl,
        home: (any OwnHome)? = nil,
        seed: RunSeed,
        pinned: @escaping @Sendable (ImageReference) throws -> ImageReference = { $0 }
    ) {
        self.lab = lab
        self.engine = engine
        self.host = host
        self.home = home
        self.seed = seed
        self.pinned = pinned
        links = LinkFaults(engine.parts.networks)
    }

    var parts: EngineParts { engine.parts }

    /// The same ground for one fault, whose chance is that of no other.
    package func on(_ occasion: String) -> FaultGround {
        var ground = self
        ground.occasion = occasion
        return ground
    }

    /// The chance of the fault that is made.
    var chance: SeededChance { seed.chance(for: "fault \(occasion)") }

    func id(_ server: Name) -> MemberID { MemberID(lab: lab.name, server: server) }

    func id(network: Name) -> NetworkID { NetworkID(lab: lab.name, network: network) }

    /// The home that faults of the host may break.
    ///
    /// - Throws: `fault.impossible` where the run has none of its own.
    func ownHome() throws -> any OwnHome {
        guard let home else {
            throw FaultGround.impossible("this run has no home of its own, and others' are not to be broken")
        }
        return home
    }

    /// The machine that is meant.
    ///
    /// - Throws: `fault.impossible` where no replacement is open that has it.
    func machine(_ target: MachineTarget) throws -> MachineID {
        let id = id(target.server)
        let intent = try engine.history(id).open?.replacement.intent
        let generation: Generation? =
            switch target.role {
            case .serving: try engine.machine(id).generation
            case .old: intent?.from
            case .new: intent?.to
            }
        guard let generation else {
            throw FaultGround.impossible("there is no \(target.role.rawValue) machine of \(id) now")
        }
        return id.machine(generation)
    }

    /// The machine that a replacement brings, which has its files and was not started yet.
    ///
    /// - Throws: `fault.impossible`.
    func unstarted(_ server: Name) throws -> MachineID {
        let machine = try machine(MachineTarget(server: server, role: .new))
        let disk = engine.rootOverlay(machine)
        guard FileManager.default.fileExists(atPath: disk) else {
            throw FaultGround.impossible("\(machine) has no disk before prepare.after")
        }
        guard try parts.holders.holders(of: disk).isEmpty else {
            throw FaultGround.impossible("\(machine) was started already, and has read what it starts from")
        }
        return machine
    }

    /// The process of a machine, which has its root open.
    ///
    /// - Throws: `fault.impossible` where it has none.
    func process(of machine: MachineID) throws -> Int32 {
        let holders = try parts.holders.holders(of: engine.rootOverlay(machine))
        guard let process = holders.first(where: { $0.name.hasPrefix("qemu-system") }) else {
            throw FaultGround.impossible("\(machine) has no process now")
        }
        return process.pid
    }

    /// Refuses a machine that stands still: its monitor would never answer, and libvirt waits for it without end.
    ///
    /// - Throws: `fault.impossible`.
    func requireAwake(_ machine: MachineID) throws {
        guard host.state(of: try process(of: machine)) != .stopped else {
            throw FaultGround.impossible("\(machine) stands still, and its monitor answers nobody")
        }
    }

    /// An error that says why a fault can't be made.
    package static func impossible(_ why: String, cause: String? = nil) -> KilnError {
        KilnError(
            .faultImpossible,
            "the fault can't be made: \(why)",
            hint: "choose a moment at which it can, such as 'at: stop.before'",
            cause: cause,
            exit: .aborted
        )
    }

    /// Waits until something holds that no event tells of; false where it does not in time.
    static func awaits(_ limit: Duration, _ condition: () async throws -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + limit
        while try await !condition() {
            guard ContinuousClock.now < end else { return false }
            try await Task.sleep(for: .milliseconds(20))
        }
        return true
    }
}
