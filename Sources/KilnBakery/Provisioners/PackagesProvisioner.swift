import KilnDocuments
import KilnModel

/// `packages`: installs Debian packages, as apt does.
struct PackagesProvisioner: Provisioner {
    let packages: [String]
    /// Mirrors' URLs, or lines of a `sources.list`; none where the environment or the host's own apt says.
    let mirrors: [String]
    /// Absolute paths of the keyrings that the mirrors' signatures are checked with.
    let keyrings: [String]
    let settings: StepSettings

    var summary: String { "packages \(packages.joined(separator: ", "))" }
    var timeout: Duration { settings.timeout }
    var network: Bool { settings.network }
    var files: [String] { [] }

    var needsTree: String? {
        mirrors.first { $0.contains("file:/") || $0.contains("copy:/") }.map {
            "the machine of 'bake: booted' does not reach the files of this host, where \(Name.quoted($0)) is"
        }
    }

    func describe(into key: inout KeyMaterial, _ recipe: Recipe, _ version: Recipe.Version) throws {
        key.add("packages", packages)
        key.add("mirrors", mirrors)
        for keyring in keyrings { try key.add(files: keyring, as: "keyring") }
        key.add("snapshot", recipe.snapshot?.description ?? "none")
    }

    func provision(_ room: any BuildRoom, _ bake: BakeContext) async throws {
        let installation = AptInstallation(packages: packages, mirrors: mirrors, keyrings: keyrings, settings: settings)
        try await installation.install(in: room, bake)
    }
}

extension PackagesProvisioner {
    static let kind = ProvisionerKind(word: "packages", schema: schema) { value, folder in
        if case .list = value.node.content {
            return names(value).map {
                PackagesProvisioner(packages: $0, mirrors: [], keyrings: [], settings: StepSettings(network: true))
            }
        }
        return map(value, folder)
    }

    private static func map(_ value: Value, _ folder: RecipeFolder) -> PackagesProvisioner? {
        guard let fields = Fields<PackagesFields>(value, "a list of packages, or a map with 'install'") else {
            return nil
        }
        let packages = fields[.install].flatMap(names)
        let mirrors = fields[.mirror]?.oneOrMore(of: "mirrors").compactMap { $0.text(.mirror) } ?? []
        let keyrings = fields[.keyring]?.oneOrMore(of: "keyrings").compactMap { folder.keyring($0) } ?? []
        let settings = StepSettings.read({ fields[$0 == .timeout ? .timeout : .network] }, network: true)
        guard let packages, let settings else { return nil }
        return PackagesProvisioner(packages: packages, mirrors: mirrors, keyrings: keyrings, settings: settings)
    }

    private static func names(_ value: Value) -> [String]? {
        let names = value.list(of: "packages")?.map { $0.text(.package) }
        return names.flatMap { $0.contains(nil) ? nil : $0.compactMap(\.self) }
    }

    private static var schema: JSONValue {
        Schema.either(
            [PackagesFields.list, Schema.object(PackagesFields.self, "With settings.")],
            "Debian packages to install, from the archives of the tree's own suite."
        )
    }
}

/// The fields of `packages` with settings.
enum PackagesFields: String, FileField {
    case install, mirror, keyring, timeout, network

    static let required: [PackagesFields] = [.install]

    static let list = Schema.list(of: Schema.text(.package, "A package."), "The packages.")

    var schema: JSONValue {
        switch self {
        case .install: PackagesFields.list
        case .mirror: DebianFields.mirror.schema
        case .keyring: DebianFields.keyring.schema
        case .timeout: StepFields.timeout.schema
        case .network: Schema.bool("Whether its programs reach the network; true without it.")
        }
    }
}
