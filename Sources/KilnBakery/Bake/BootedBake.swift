import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// The making of one version in a machine of what it begins as: its steps, cleaned, shut down, and its disk taken.
///
/// The machine is in a lab of its own, which is removed however the bake ends. No step of it is reused: what a machine has
/// beside its disk can't be kept.
struct BootedBake {
    let baker: Baker
    let plan: BakePlan
    let options: Baker.Options
    let bench: Workbench

    var kept: KeptTree { KeptTree(store: baker.store, name: plan.recipe.name, version: plan.version.name) }

    /// What comes of a machine besides its disk.
    private struct Made {
        let changes: [ImageOrigin.Changes]
        let packages: [ImageManifest.Package]
    }

    func run() async throws -> StoredImage {
        try refuseParts()
        let (machines, parent) = try required()
        let lab = try await ThrowawayLab.make("kiln-bake", engine: machines.engine)
        let made: Made
        do {
            made = try await bake(in: MemberID(lab: lab.name, server: try Name("bake")), machines, parent)
        } catch {
            await remove(lab)
            throw error
        }
        await remove(lab)
        return try await seal(made)
    }

    private func refuseParts() throws {
        guard options.fromStep != nil else { return }
        throw KilnError(
            .bakeNothingKept,
            "\(plan.title) can't go on at a step: its steps are done in one machine, of which only the disk is kept",
            hint: "bake it without --from-step",
            exit: .usage
        )
    }

    private func required() throws -> (BakeMachines, StoredImage) {
        guard let machines = baker.machines, let parent = plan.parent else {
            throw KilnError(
                .bakeNoMachine,
                "\(plan.title) is baked in a machine, and there is none of what it begins as",
                hint: "let it begin with 'from' or 'download'",
                exit: .aborted
            )
        }
        return (machines, parent)
    }

    private func remove(_ lab: ThrowawayLab) async {
        do {
            try await lab.remove()
        } catch {
            baker.tell("\(plan.title): its machine could not be removed: \(error); 'kiln down \(lab.name)' tries again")
        }
    }

    // MARK: - The machine

    private func bake(in id: MemberID, _ machines: BakeMachines, _ parent: StoredImage) async throws -> Made {
        let machine = BakeMachine(engine: machines.engine, id: id, isOpen: isOpen)
        try await boot(id, machines, parent)
        var place = "reading what is on its disk"
        do {
            let changes = try await BootedSteps(baker: baker, plan: plan, bench: bench, machine: machine)
                .perform { place = $0 }
            place = "reading the list of its packages"
            let status = try await machine.read("/var/lib/dpkg/status", limit: 64 << 20)
            place = "cleaning"
            try await clean(machine, machines)
            place = "shutting down"
            baker.tell("\(plan.title): shutting its machine down")
            try await machines.engine.stop(id)
            place = "taking its disk"
            try await machines.engine.flatten(id, to: "\(bench.draft)/\(ImageStore.diskName)")
            // Now, since without the machine nothing keeps the parent from being deleted.
            try await takeBoot(parent)
            return Made(changes: changes, packages: packages(status, parent))
        } catch let error as KilnError where !Task.isCancelled {
            throw await keep(id, machines, at: place, error)
        }
    }

    private var isOpen: Bool { plan.recipe.provisioners(of: plan.version).contains { $0.network || $0.fetchesTool } }

    private func boot(_ id: MemberID, _ machines: BakeMachines, _ parent: StoredImage) async throws {
        let platform = machines.parts.machines.platform
        let estimate = BootEstimate(store: baker.store, image: parent.manifest, platform: platform)
        let title = parent.manifest.title
        baker.tell(
            "\(plan.title): all \(plan.steps.count) steps in one machine, none is reused; boots \(title) once: \(estimate.text)"
        )
        let begin = ContinuousClock.now
        do {
            _ = try await machines.engine.up(declared(id, parent, platform))
        } catch let error as KilnError where error.isFaultOfImage {
            throw KilnError(
                .bakeNoMachine,
                "\(plan.title): a machine of \(title) did not become ready: \(error.message)",
                hint: error.hint,
                cause: error.cause,
                exit: .aborted
            )
        }
        estimate.note((ContinuousClock.now - begin) / .seconds(1))
    }

    private func declared(_ id: MemberID, _ parent: StoredImage, _ platform: Platform) -> LabSpec {
        let manifest = parent.manifest
        var spec = ServerSpec(image: manifest.exactly)
        let size = plan.settings.size
        (spec.memory, spec.processors, spec.cpu) = (size.memory, size.processors, size.cpu)
        spec.network = isOpen ? .open : .isolated
        spec.ready = manifest.cloudInit == .none ? [Check(.agent)] : [Check(.cloudInit(allowDegraded: true))]
        // An account or a name of this machine would be everybody's.
        if manifest.cloudInit == .full {
            spec.userData = .object(["preserve_hostname": .bool(true), "users": .array([])])
        }
        // Images of others do more at a first boot than Kiln's own.
        if platform.isEmulated { spec.readyTimeout = .seconds(600) }
        spec.stopTimeout = .seconds(120)
        return LabSpec(name: id.lab, volumes: [:], servers: [id.server: spec])
    }

    private func clean(_ machine: BakeMachine, _ machines: BakeMachines) async throws {
        baker.tell("\(plan.title): step \(plan.steps.count)/\(plan.steps.count) cleaning (in the machine)")
        let key = plan.parent?.manifest.ssh == true ? try await machines.parts.seeds.userPublicKey() : ""
        // Comments of keys differ; what is between them and the kind does not.
        let fields = key.split(separator: " ")
        let arguments = [
            plan.recipe.name.text, plan.version.name, Recipe.Room.booted.rawValue, BootedRoom.usualPlace,
            RoomPlaces.kiln,
            fields.count > 1 ? String(fields[1]) : "",
        ]
        do {
            try await machine.ask(BootedRoomScript.cleaning, arguments, within: .seconds(300))
        } catch let error as KilnError where error.code == .bakeStepFailed {
            throw KilnError(
                .bakeNotCleaned,
                "its machine could not be cleaned, or its root not be made read-only after that",
                hint: "the cause is what the guest said; a guest without /proc/sysrq-trigger can't be baked in",
                cause: error.cause,
                exit: .aborted
            )
        }
    }

    private func packages(_ status: [UInt8]?, _ parent: StoredImage) -> [ImageManifest.Package] {
        let installed = ImageManifest.Package.list(status.map { DpkgStatus($0).packages } ?? [])
        return installed.isEmpty ? parent.manifest.packages : installed
    }

    private func takeBoot(_ parent: StoredImage) async throws {
        try await BlockingWork.run { [draft = bench.draft] in
            for (file, path) in [("kernel", parent.kernel), ("initrd", parent.initrd)] {
                if let path { try SparseCopy.copy(path, to: "\(draft)/\(file)") }
            }
        }
    }

    // MARK: - The image

    private func seal(_ made: Made) async throws -> StoredImage {
        baker.tell("\(plan.title): sealing")
        let disk = "\(bench.draft)/\(ImageStore.diskName)"
        // The machines' user looks at it, as at every disk that a guest has written to.
        guard chmod(disk, 0o444) == 0 else { throw FileError.failed(.fileUnwritable, "seal", disk) }
        _ = try await baker.roots.isListed(disk, format: .qcow2, in: bench.draft)
        let draft = ImageDraft(plan, in: bench.draft, packages: made.packages, changes: made.changes).draft
        let image = try await baker.sealed(draft, plan)
        await kept.remove()
        return image
    }
}
