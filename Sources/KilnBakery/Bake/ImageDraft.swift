import Foundation
import KilnModel
import KilnStore

/// What a workbench holds, as the store takes it.
struct ImageDraft {
    let draft: ImageStore.Draft

    /// - Parameters:
    ///   - folder: holds the files.
    ///   - packages: what is installed in it.
    ///   - changes: how many paths each step of the plan changed.
    ///   - isWhole: whether every step was done as the recipe says; what a person changed is no bake of the recipe.
    init(
        _ plan: BakePlan,
        in folder: String,
        packages: [ImageManifest.Package],
        changes: [ImageOrigin.Changes],
        isWhole: Bool = true
    ) {
        let settings = plan.settings
        var draft = ImageStore.Draft(
            folder: folder,
            name: plan.recipe.name,
            version: plan.version.name,
            boot: settings.boot,
            cloudInit: settings.cloudInit,
            ssh: settings.ssh,
            size: settings.size,
            ephemeral: settings.ephemeral
        )
        draft.cloudInitModules = settings.cloudInitModules
        draft.volatileRoot = settings.volatileRoot
        draft.flash = settings.flash ? true : nil
        // A disk that a machine of the parent wrote has its partitions.
        draft.firmware = plan.parent?.manifest.firmware
        draft.packages = packages
        draft.recipe = isWhole ? plan.key : nil
        draft.tests = plan.tests
        draft.origin = ImageDraft.origin(plan, changes, isWhole: isWhole)
        self.draft = draft
    }

    private static func origin(_ plan: BakePlan, _ changes: [ImageOrigin.Changes], isWhole: Bool) -> ImageOrigin {
        let own = plan.parent.map { ImageOrigin.Parent($0.manifest) }
        let taken = plan.taken.all.map { ImageOrigin.Parent($0.manifest) }
        let parentOrigin = plan.parent?.manifest.origin
        return ImageOrigin(
            parents: (own.map { [$0] } ?? []) + (parentOrigin?.parents ?? []),
            taken: taken.isEmpty ? nil : taken,
            steps: zip(plan.steps, changes).map { step, changes in
                ImageOrigin.Step(kind: step.kind, summary: step.summary, key: step.key, changes: changes)
            },
            tools: plan.tools.all,
            snapshot: plan.recipe.snapshot?.description,
            notReproducible: inherited(plan) + reasons(plan, isWhole: isWhole)
        )
    }

    /// Why another bake of what it is made from may be another image.
    private static func inherited(_ plan: BakePlan) -> [String] {
        let sources = [plan.parent].compactMap(\.self) + plan.taken.all
        return sources.flatMap { $0.manifest.origin?.notReproducible ?? [] }
            .reduce(into: []) { reasons, reason in if !reasons.contains(reason) { reasons.append(reason) } }
    }

    /// Why another bake of the same may be another image.
    private static func reasons(_ plan: BakePlan, isWhole: Bool) -> [String] {
        var reasons: [String] = []
        if plan.recipe.room == .booted {
            reasons.append("\(plan.title): it was baked in a machine that ran, which writes other things each time")
        }
        if plan.fetchesPackages, plan.recipe.snapshot == nil {
            reasons.append("\(plan.title): packages are what the mirrors had; 'snapshot: DAY' pins them")
        }
        reasons += plan.steps.flatMap { step in
            guard case .provisioner(let provisioner) = step.work else { return [String]() }
            return ImageDraft.reasons(provisioner, plan)
        }
        if !isWhole { reasons.append("\(plan.title): a person went on with the tree of a bake that had failed") }
        return reasons
    }

    private static func reasons(_ step: any Provisioner, _ plan: BakePlan) -> [String] {
        var reasons: [String] = []
        if step.network, !(step is PackagesProvisioner) {
            reasons.append(
                "\(plan.title): the step '\(step.summary)' reaches the network, where other things may be then"
            )
        }
        if step.fetchesTool, plan.recipe.snapshot == nil {
            reasons.append(
                "\(plan.title): the tool of '\(step.summary)' is what the mirrors had, unless the tree has it; 'snapshot: DAY' pins it"
            )
        }
        if (step as? ShellProvisioner)?.outside == true {
            reasons.append("\(plan.title): '\(step.summary)' runs on this host, with the programs that it has")
        }
        return reasons
    }
}

extension Workbench {
    /// Those of dpkg; where the tree has none, the lines `NAME TAB VERSION` that a program left, else those of the parent.
    func packages() throws -> [ImageManifest.Package] {
        let installed = ImageManifest.Package.list(try tree.packages())
        if !installed.isEmpty { return installed }
        guard let content = FileManager.default.contents(atPath: boot + "/packages") else {
            return plan.parent?.manifest.packages ?? []
        }
        return String(decoding: content, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "\t").map(String.init)
            return fields.count == 2 ? ImageManifest.Package(name: fields[0], version: fields[1]) : nil
        }.sorted { $0.name < $1.name }
    }
}

extension ImageManifest.Package {
    /// Those that dpkg has installed, by name.
    static func list(_ packages: [DpkgStatus.Package]) -> [ImageManifest.Package] {
        packages.map { ImageManifest.Package($0) }.sorted { $0.name < $1.name }
    }

    /// One that dpkg has installed.
    init(_ package: DpkgStatus.Package) {
        self.init(
            name: package.name,
            version: package.version,
            architecture: package.architecture,
            source: package.source,
            sourceVersion: package.sourceVersion
        )
    }
}

extension ImageOrigin.Parent {
    fileprivate init(_ image: ImageManifest) {
        self.init(name: image.name, version: image.version, digest: image.digest)
    }
}

extension ImageOrigin.Changes {
    /// What is not counted, because the tree begins with it or is no tree.
    static let uncounted = ImageOrigin.Changes(added: 0, changed: 0, removed: 0)

    init(_ changes: TreeChanges) {
        self.init(added: changes.added.count, changed: changes.changed.count, removed: changes.removed.count)
    }
}
