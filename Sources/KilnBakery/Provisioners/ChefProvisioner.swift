import KilnDocuments
import KilnModel

/// `chef`: runs recipes of a cookbook with chef-client in local mode.
///
/// Debian has no package of it: the recipe names a package file, or the tree has it already (chef-client, or cinc-client).
/// What the package file brought is purged afterwards, as with the other tools.
struct ChefProvisioner: Provisioner {
    /// The folder with `cookbooks`, below the recipe's folder.
    let folder: String
    /// What is run, such as `recipe[web::default]`.
    let runList: [String]
    /// A package of chef-client, below the recipe's folder.
    let package: String?
    let keep: Bool
    let settings: StepSettings

    /// What the package file may be: Chef's own, or the community's.
    static let packages = ["chef", "cinc"]
    static let leftovers = ["/etc/chef", "/root/.chef", "/var/chef", "/etc/cinc", "/root/.cinc", "/var/cinc"]

    var summary: String { "chef \(runList.joined(separator: ", "))" }
    var timeout: Duration { settings.timeout }
    var network: Bool { settings.network }
    var files: [String] { [folder] + (package.map { [$0] } ?? []) }

    func describe(into key: inout KeyMaterial, _ recipe: Recipe, _ version: Recipe.Version) throws {
        key.add("run-list", runList)
        key.add("keep", "\(keep)")
        key.add(environmentOf: recipe, version)
    }

    func provision(_ room: any BuildRoom, _ bake: BakeContext) async throws {
        guard let package else { return try await applyRepeatably(room, bake) }
        let (packages, leftovers) = (ChefProvisioner.packages, ChefProvisioner.leftovers)
        try await ToolPackage.use(in: room, bake, packages: packages, leftovers: leftovers, keep: keep) {
            try await room.run(
                RoomCommand(["dpkg", "--install", "/run/kiln/recipe/\(package)"], timeout: timeout, network: false)
            )
        } body: {
            try await applyRepeatably(room, bake)
        }
    }

    private func applyRepeatably(_ room: any BuildRoom, _ bake: BakeContext) async throws {
        try await bake.repeatably(in: room, besides: ChefProvisioner.leftovers) { try await apply(room) }
    }

    private func apply(_ room: any BuildRoom) async throws {
        let script = """
            set -eu
            client=$(command -v chef-client || command -v cinc-client) || {
                echo "the tree has neither chef-client nor cinc-client: name a package file with 'package:', or begin with an image that has one" >&2
                exit 1
            }
            # A machine may have those of the step before.
            rm -rf /tmp/chef
            cp -R "/run/kiln/recipe/$1" /tmp/chef && cd /tmp/chef
            exec "$client" --local-mode --no-fork --no-color --chef-license accept-silent --override-runlist "$2"
            """
        try await room.run(
            RoomCommand(
                ["/bin/sh", "-c", script, "chef", folder, runList.joined(separator: ",")],
                timeout: timeout,
                network: network
            )
        )
    }
}

extension ChefProvisioner {
    static let kind = ProvisionerKind(
        word: "chef",
        schema: Schema.object(ChefFields.self, "Runs recipes of a Chef cookbook in local mode.")
    ) { value, place in
        guard let fields = Fields<ChefFields>(value, "a map with 'folder' and 'run-list'") else { return nil }
        let folder = fields[.folder].flatMap { place.entry($0, .folder) }
        let runList = fields[.runList]?.list(of: "recipes of cookbooks")?.compactMap { $0.text(.chefRecipe) }
        let package = fields[.package].map { place.entry($0, .file) }
        let keep = fields[.keep].map { $0.bool() } ?? false
        let settings = StepSettings.read { fields[$0 == .timeout ? .timeout : .network] }
        guard let folder, let runList, package != .some(nil), let keep, let settings else { return nil }
        return ChefProvisioner(
            folder: folder,
            runList: runList,
            package: package ?? nil,
            keep: keep,
            settings: settings
        )
    }
}

/// The fields of `chef`.
enum ChefFields: String, FileField {
    case folder
    case runList = "run-list"
    case package, keep, timeout, network

    static let required: [ChefFields] = [.folder, .runList]

    var schema: JSONValue {
        switch self {
        case .folder: Schema.text(.relativePath, "The folder with 'cookbooks', relative to the recipe's folder.")
        case .runList: Schema.list(of: Schema.text(.chefRecipe, "A recipe."), "What is run, in order.")
        case .package:
            Schema.text(
                .relativePath,
                "A Debian package of chef-client or cinc-client, relative to the recipe's folder."
            )
        case .keep: ToolFields.keep
        case .timeout: StepFields.timeout.schema
        case .network: StepFields.network.schema
        }
    }
}

extension TextForm {
    static let chefRecipe = TextForm(
        "a recipe of a cookbook, such as web or recipe[web::default]",
        pattern: "^[A-Za-z0-9_][A-Za-z0-9_:@.\\[\\]-]*$"
    ) { text in
        text.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9_:@.\[\]-]*/) != nil
    }
}
