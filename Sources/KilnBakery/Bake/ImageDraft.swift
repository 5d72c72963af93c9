import Foundation
import KilnModel
import KilnStore

/// What a workbench holds, as the store takes it.
struct ImageDraft {
    let draft: ImageStore.Draft

    /// - Parameter isWhole: whether every step was done as the recipe says; what a person changed is no bake of the recipe.
    init(bench: Workbench, plan: BakePlan, cache: StepCache, isWhole: Bool) throws {
        let settings = plan.settings
        var draft = ImageStore.Draft(
            folder: bench.draft,
            name: plan.recipe.name,
            version: plan.version.name,
            boot: .direct(commandLine: settings.commandLine),
            cloudInit: settings.cloudInit,
            ssh: settings.ssh,
            size: settings.size,
            ephemeral: settings.ephemeral
        )
        draft.cloudInitModules = settings.cloudInitModules
        draft.volatileRoot = settings.volatileRoot
        draft.packages = try ImageDraft.packages(bench, plan)
        draft.recipe = isWhole ? plan.key : nil
        draft.tests = plan.tests
        draft.origin = ImageDraft.origin(plan, cache, isWhole: isWhole)
        self.draft = draft
    }

    private static func origin(_ plan: BakePlan, _ cache: StepCache, isWhole: Bool) -> ImageOrigin {
        let own = plan.parent.map { parent in
            ImageOrigin.Parent(
                name: parent.manifest.name,
                version: parent.manifest.version,
                digest: parent.manifest.digest
            )
        }
        let parentOrigin = plan.parent?.manifest.origin
        var reasons = parentOrigin?.notReproducible ?? []
        if plan.fetchesPackages, plan.recipe.snapshot == nil {
            reasons.append("\(plan.title): packages are what the mirrors had; 'snapshot: DAY' pins them")
        }
        if !isWhole { reasons.append("\(plan.title): a person went on with the tree of a bake that had failed") }
        return ImageOrigin(
            parents: (own.map { [$0] } ?? []) + (parentOrigin?.parents ?? []),
            steps: plan.steps.map { step in
                ImageOrigin.Step(
                    kind: step.kind,
                    summary: step.summary,
                    key: step.key,
                    changes: cache.record(step.key)?.changes ?? ImageOrigin.Changes(added: 0, changed: 0, removed: 0)
                )
            },
            tools: plan.tools.versions,
            snapshot: plan.recipe.snapshot?.description,
            notReproducible: reasons
        )
    }

    /// Those of dpkg; where the tree has none, the lines `NAME TAB VERSION` that a program left, else those of the parent.
    private static func packages(_ bench: Workbench, _ plan: BakePlan) throws -> [ImageManifest.Package] {
        let installed = try bench.tree.packages()
        if !installed.isEmpty {
            return installed.map {
                ImageManifest.Package(
                    name: $0.name,
                    version: $0.version,
                    architecture: $0.architecture,
                    source: $0.source,
                    sourceVersion: $0.sourceVersion
                )
            }.sorted { $0.name < $1.name }
        }
        guard let content = FileManager.default.contents(atPath: bench.boot + "/packages") else {
            return plan.parent?.manifest.packages ?? []
        }
        return String(decoding: content, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "\t").map(String.init)
            return fields.count == 2 ? ImageManifest.Package(name: fields[0], version: fields[1]) : nil
        }.sorted { $0.name < $1.name }
    }
}
