import KilnModel
import KilnSystem

/// The provisioners of a bake, one after the other in its machine.
struct BootedSteps {
    let baker: Baker
    let plan: BakePlan
    let bench: Workbench
    let machine: BakeMachine

    /// Does all of them.
    ///
    /// - Parameter at: takes where it is, for people.
    /// - Returns: how many paths each step of the plan changed.
    func perform(_ at: (String) -> Void) async throws -> [ImageOrigin.Changes] {
        var changes: [ImageOrigin.Changes] = []
        var before = try await listing(room("the machine"))
        for (index, step) in plan.steps.enumerated() {
            guard case .provisioner(let provisioner) = step.work else {
                changes.append(.uncounted)
                continue
            }
            try Task.checkCancellation()
            at("step \(index + 1), \(step.summary)")
            baker.tell("\(plan.title): step \(index + 1)/\(plan.steps.count) \(step.summary) (in the machine)")
            let room = room(step.summary)
            try await provision(provisioner, room)
            let after = try await listing(room)
            let changed = after.flatMap { after in before.map { after.changes(since: $0) } }
            try requireKernel(changed)
            changes.append(changed.map { ImageOrigin.Changes($0) } ?? .uncounted)
            before = after
        }
        return changes
    }

    private func room(_ step: String) -> BootedRoom {
        var room = BootedRoom(machine: machine, step: step, log: bench.log)
        room.variables = bench.context.variables
        room.ephemeral += plan.settings.ephemeral.compactMap { RootPath(written: $0) }
        return room
    }

    private func provision(_ provisioner: any Provisioner, _ room: BootedRoom) async throws {
        let stage = try await StepFiles(provisioner, of: plan.recipe, in: bench.scratch)
        try await room.open(with: stage.recipe)
        try await provisioner.provision(room, bench.context)
        await Namespace.remove(bench.scratch)
        try bench.makeScratch()
    }

    // A root that is no ext4 is baked all the same, but what changed can't be counted.
    private func listing(_ room: BootedRoom) async throws -> TreeListing? {
        do {
            return try await room.listing()
        } catch let error as KilnError where error.code == .driftNoFileSystem {
            return nil
        }
    }

    /// Where kernel and initrd lie beside the disk, they stay the parent's.
    private func requireKernel(_ changes: TreeChanges?) throws {
        guard plan.settings.boot.isDirect, let changes, let modules = RootPath("/usr/lib/modules"),
            changes.touches(modules)
        else { return }
        throw KilnError(
            .bakeModulesChanged,
            "it changed /usr/lib/modules, but the image would boot with its parent's kernel, which lies beside its disk",
            hint: "make the image from 'debian:' with that kernel, or from a disk that has a boot loader of its own",
            exit: .aborted
        )
    }
}
