import KilnDocuments
import KilnModel
import KilnStore

/// Reads lists of provisioners: the recipe's, and those of its versions.
struct RecipeSteps {
    let decoder: RecipeDecoder
    let fields: Fields<RecipeFields>
    let room: Recipe.Room
    let snapshot: SnapshotDate?

    /// The provisioners of a list, without those in which there is a problem.
    func list(_ value: Value) -> [any Provisioner] {
        let values = value.list(of: "provisioners", atLeast: 0) ?? []
        let parents = decoder.parents(of: fields)
        // What a step before has put there may be a tool, too.
        var mayHaveTools = false
        return values.compactMap { value in
            let provisioner = ProvisionerKind.provisioner(value, RecipeFolder(path: decoder.folder))
            if let packages = provisioner as? PackagesProvisioner {
                if let reason = decoder.hasNoPackages(fields, parents) {
                    value.problem("packages can't be installed: \(reason)")
                }
                value.requirePinned(packages.mirrors, on: snapshot)
            }
            if provisioner?.fetchesTool == true, !mayHaveTools, let reason = decoder.hasNoTools(fields, parents) {
                value.problem("its tool can't be installed: \(reason)")
            }
            mayHaveTools = mayHaveTools || provisioner is FilesProvisioner || provisioner is ShellProvisioner
            if room == .booted, let reason = provisioner?.needsTree { value.problem(reason) }
            return provisioner
        }
    }

    /// Those of a version, which a disk that is taken as it is can't have.
    func own(_ value: Value) -> [any Provisioner] {
        if fields[.download] != nil, room == .chroot { value.problem(BootedReview.takenAsItIs("provision")) }
        return list(value)
    }
}

// The versions of a recipe.
extension RecipeDecoder {
    func versions(_ value: Value, _ steps: RecipeSteps) -> [Recipe.Version]? {
        guard let entries = value.entries(of: "versions and their variables") else { return nil }
        if entries.isEmpty { value.mismatch("at least one version") }
        let versions = entries.compactMap { entry, value in
            let name = value.key(entry, .version)
            let version = version(value, name: name ?? "", steps)
            return name == nil ? nil : version
        }
        return versions.sorted { VersionOrder.isOlder($0.name, $1.name) }
    }

    /// What a version begins as, where it says so, its own steps, and its variables.
    private func version(_ value: Value, name: String, _ steps: RecipeSteps) -> Recipe.Version {
        var from: ImageReference?
        var own: [any Provisioner] = []
        let variables = RecipeDecoder.variables(value) { entry, value in
            switch entry.key {
            case "from": from = value.imageReference()
            case "provision": own = steps.own(value)
            default: return false
            }
            return true
        }
        return Recipe.Version(name: name, from: from, variables: variables, provisioners: own)
    }
}
