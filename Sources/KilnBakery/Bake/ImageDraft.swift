import Foundation
import KilnModel
import KilnStore

/// What a workbench holds, as the store takes it.
struct ImageDraft {
    let draft: ImageStore.Draft

    /// - Parameter isWhole: whether every step was done as the recipe says; what a person changed is no bake of the recipe.
    init(bench: Workbench, plan: BakePlan, isWhole: Bool) {
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
        draft.packages = ImageDraft.packages(bench)
        draft.recipe = isWhole ? plan.key : nil
        self.draft = draft
    }

    /// The lines `NAME TAB VERSION` that a program left.
    private static func packages(_ bench: Workbench) -> [ImageManifest.Package] {
        let content = FileManager.default.contents(atPath: bench.boot + "/packages") ?? Data()
        return String(decoding: content, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "\t").map(String.init)
            return fields.count == 2 ? ImageManifest.Package(name: fields[0], version: fields[1]) : nil
        }.sorted { $0.name < $1.name }
    }
}
