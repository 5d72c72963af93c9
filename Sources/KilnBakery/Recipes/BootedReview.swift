import KilnDocuments
import KilnModel

/// What a recipe can't say where its steps are done in a machine, and what it can say only then.
struct BootedReview {
    let fields: Fields<RecipeFields>
    let room: Recipe.Room
    let lineage: RecipeLineage

    /// Reports what does not fit to what the recipe begins as, which `kind` and `value` say.
    func review(_ kind: RecipeFields, _ value: Value) {
        switch (kind, room) {
        case (.download, _): reviewDownload()
        case (.debian, .booted):
            value.problem("there is no machine to bake in yet: 'bake: booted' begins with 'from' or 'download'")
        case (.from, .chroot): reviewParent(value)
        default: break
        }
        guard room == .booted, kind != .download else { return }
        fields[.disk]?.problem("with 'bake: booted' the disk has the size of the one that it begins as")
    }

    private func reviewDownload() {
        for field in RecipeFields.ofTrees {
            fields[field]?.problem("a disk that is downloaded is taken as it is, so it has no '\(field.rawValue)'")
        }
        guard room == .chroot else { return }
        for field in RecipeFields.ofSteps {
            fields[field]?.problem(BootedReview.takenAsItIs(field.rawValue))
        }
    }

    static func takenAsItIs(_ field: String) -> String {
        "a disk that is downloaded is taken as it is, so it has no '\(field)', "
            + "unless the steps are done in a machine of it: 'bake: booted'"
    }

    /// What is downloaded by a recipe beside it has partitions, and no tree can be taken from it.
    private func reviewParent(_ value: Value) {
        guard case .scalar(let scalar) = value.node.content, let name = try? ImageReference(scalar.text).name,
            lineage.isDownloaded(name)
        else { return }
        value.problem("\(name) has a boot loader of its own, and no tree can be taken from it: say 'bake: booted'")
    }
}
