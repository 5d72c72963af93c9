import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// The making of one version, step by step.
struct BakeRun {
    let baker: Baker
    let plan: BakePlan
    let options: Baker.Options
    private let failpoint = Failpoint()

    private var cache: StepCache { StepCache(store: baker.store) }
    private var kept: KeptTree { KeptTree(store: baker.store, name: plan.recipe.name, version: plan.version.name) }

    func run() async throws -> StoredImage {
        await baker.removeAbandonedWork()
        let work = try WorkFolder(in: baker.store.work)
        let path = work.path
        do {
            let log = try BakeLog("\(baker.store.root)/logs/\(plan.recipe.name)/\(plan.version.name).log") {
                [tell = baker.tell] in tell("  \($0)")
            }
            let bench = Workbench(folder: path, plan: plan, log: log)
            try bench.make()
            let image = try await image(on: bench)
            await Namespace.remove(path)
            return image
        } catch {
            await Namespace.remove(path)
            throw error
        }
    }

    private func image(on bench: Workbench) async throws -> StoredImage {
        if plan.recipe.room == .booted {
            return try await BootedBake(baker: baker, plan: plan, options: options, bench: bench).run()
        }
        try await perform(on: bench)
        return try await seal(bench)
    }

    // MARK: - Steps

    private func perform(on bench: Workbench) async throws {
        let present = try await start(on: bench)
        var before: TreeListing?
        for (index, step) in plan.steps.enumerated() where index >= present {
            try Task.checkCancellation()
            if before == nil, index > 0 { before = try await bench.tree.listing() }
            tell(index, step, why(index, step))
            let start = ContinuousClock.now
            do {
                try failpoint?.hit("bake-\(index + 1).before")
                try await StepWork(baker: baker, bench: bench, plan: plan).perform(step)
                try failpoint?.hit("bake-\(index + 1).done")
                let after = try await bench.tree.listing()
                let changes = before.map { after.changes(since: $0) }
                try requireBoot(of: step, changes, bench)
                try await save(bench, step, changes, took: ContinuousClock.now - start)
                try failpoint?.hit("bake-\(index + 1).after")
                before = after
            } catch let error as KilnError {
                throw await keep(bench, at: index, step, error)
            }
        }
        if options.fromStep == nil { try cache.note(plan.steps.map(\.key), of: plan.title) }
    }

    /// A kernel's modules go with the kernel, which is the parent's and lies beside the tree.
    private func requireBoot(of step: BakePlan.Step, _ changes: TreeChanges?, _ bench: Workbench) throws {
        guard case .provisioner = step.work, plan.parent != nil, let changes,
            let modules = RootPath("/usr/lib/modules"),
            changes.touches(modules), !bench.hasOwnInitrd
        else { return }
        throw KilnError(
            .bakeModulesChanged,
            "it changed /usr/lib/modules, but left no initrd of its own: the image would boot with its parent's kernel",
            hint:
                "make the image from 'debian:' with that kernel, or let a program 'outside: true' put kernel and initrd into $KILN_BOOT",
            exit: .aborted
        )
    }

    /// Makes the tree as it was after the last step that is there already.
    ///
    /// - Returns: how many steps that are.
    private func start(on bench: Workbench) async throws -> Int {
        if let number = options.fromStep { return try await kept.takeUp(on: bench, step: number, of: plan) }
        guard !options.again else { return 0 }
        guard let last = plan.steps.lastIndex(where: { cache.record($0.key) != nil }) else { return 0 }
        for (index, step) in plan.steps.prefix(last + 1).enumerated() { tell(index, step, "reused, \(step.key.short)") }
        let key = plan.steps[last].key
        try await bench.tree.unpack(cache.archive(key))
        try bench.takeBoot(from: cache.boot(key))
        return last + 1
    }

    /// Why a step is not reused, in a few words.
    private func why(_ index: Int, _ step: BakePlan.Step) -> String {
        if options.again { return "again" }
        if options.fromStep != nil { return "from step \(options.fromStep ?? 0)" }
        guard let before = cache.latest(of: plan.title, index) else { return "new" }
        // What came before is in every key; people want to know what began it.
        let changes = step.material.changes(from: before.material)
        return changes == "before" ? "after a changed step" : "changed: \(changes)"
    }

    private func tell(_ index: Int, _ step: BakePlan.Step, _ how: String) {
        baker.tell("\(plan.title): step \(index + 1)/\(plan.steps.count) \(step.summary) (\(how))")
    }

    private func save(_ bench: Workbench, _ step: BakePlan.Step, _ changes: TreeChanges?, took: Duration) async throws {
        // What was changed by hand is nobody's to reuse, and a parent's tree lies there already.
        guard options.fromStep == nil else { return }
        if case .parent = step.work { return }
        let draft = try await bench.draftOfStep()
        let record = StepCache.Record(
            made: plan.title,
            summary: step.summary,
            material: step.material,
            changes: changes.map { ImageOrigin.Changes($0) },
            seconds: took / .seconds(1),
            ended: Date().timeIntervalSince1970
        )
        if options.again { cache.remove(step.key) }
        try cache.take(draft, as: step.key, record)
    }

    private func keep(_ bench: Workbench, at index: Int, _ step: BakePlan.Step, _ error: KilnError) async -> KilnError {
        let hint = [error.hint, await nextSteps(bench, at: index)].compactMap(\.self).joined(separator: "; ")
        return KilnError(
            error.code,
            "\(plan.title) failed at step \(index + 1), \(step.summary): \(error.message)",
            hint: hint,
            cause: error.cause,
            exit: error.exit
        )
    }

    /// Keeps the tree, and says what can be done with it.
    private func nextSteps(_ bench: Workbench, at index: Int) async -> String {
        do {
            try await kept.keep(bench, step: index + 1)
            return "look at the tree with 'kiln image enter \(plan.title)', at all that was said in \(bench.log.path); "
                + "go on with 'kiln image bake \(plan.recipe.name) --from-step \(index + 1)' "
                + "(what you changed in the tree counts)"
        } catch {
            // On a disk that the step has filled, say. Its own error is what counts, and half a tree would only take up space.
            bench.log.tell("the tree could not be kept: \((error as? KilnError)?.message ?? "\(error)")")
            await kept.remove()
            return "look at all that was said in \(bench.log.path) (the tree could not be kept)"
        }
    }

    // MARK: - The image

    private func seal(_ bench: Workbench) async throws -> StoredImage {
        baker.tell("\(plan.title): making the disk")
        try await bench.makeDisk(by: baker.roots)
        _ = try await baker.roots.isListed(bench.raw, format: .raw, in: bench.draft)
        unlink(bench.raw)
        baker.tell("\(plan.title): sealing")
        try failpoint?.hit("bake.made")
        let isWhole = options.fromStep == nil
        let changes = plan.steps.map { cache.record($0.key)?.changes ?? .uncounted }
        let image = try await baker.store.sealed(
            ImageDraft(plan, in: bench.draft, packages: try bench.packages(), changes: changes, isWhole: isWhole).draft,
            waiting: baker.tellWaiting
        )
        try failpoint?.hit("bake.sealed")
        if isWhole, let last = plan.steps.last {
            try cache.keep(last.key, asTreeOf: image.manifest.digest)
        }
        await kept.remove()
        baker.tell("\(plan.title) is \(image.manifest.digest)")
        return image
    }
}

extension Baker {
    /// Removes what killed bakes left behind.
    func removeAbandonedWork() async {
        for folder in WorkFolder.abandoned(in: store.work) { await Namespace.remove(folder) }
    }
}
