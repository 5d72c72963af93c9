import KilnDocuments
import KilnModel

/// `puppet`: applies a manifest with puppet apply.
struct PuppetProvisioner: Provisioner {
    /// The manifest, below the recipe's folder.
    let manifest: String
    /// The folder of modules, below the recipe's folder.
    let modules: String?
    let keep: Bool
    let settings: StepSettings

    static let tool = ToolPackage(
        program: "puppet",
        package: "puppet-agent",
        leftovers: ["/var/lib/puppet", "/var/cache/puppet", "/var/log/puppet", "/etc/puppet/ssl", "/etc/puppetlabs"]
    )

    var summary: String { "puppet \(manifest)" }
    var timeout: Duration { settings.timeout }
    var network: Bool { settings.network }
    var fetchesTool: Bool { true }
    var files: [String] { [manifest] + (modules.map { [$0] } ?? []) }

    func describe(into key: inout KeyMaterial, _ recipe: Recipe, _ version: Recipe.Version) throws {
        key.add("modules", modules ?? "none")
        key.add("keep", "\(keep)")
        key.add(environmentOf: recipe, version)
    }

    func provision(_ room: any BuildRoom, _ bake: BakeContext) async throws {
        try await PuppetProvisioner.tool.use(in: room, bake, keep: keep) {
            try await bake.repeatably(in: room, besides: PuppetProvisioner.tool.leftovers) { try await apply(room) }
        }
    }

    private func apply(_ room: any BuildRoom) async throws {
        // Its state lies beside the tree. A room has no running systemd, so services can only be enabled.
        let places = [
            "--vardir", "/run/kiln/puppet/var", "--rundir", "/run/kiln/puppet/run", "--logdir", "/run/kiln/puppet/log",
        ]
        let path = modules.map { ["--modulepath", "/run/kiln/recipe/\($0)"] } ?? []
        // 2: changed something; 4, 6: something failed.
        _ = try await room.run(
            RoomCommand(
                ["puppet", "apply", "--detailed-exitcodes", "--color", "false", "--logdest", "console"] + places + path
                    + ["/run/kiln/recipe/\(manifest)"],
                timeout: timeout,
                network: network
            ),
            accepting: [2]
        )
    }
}

extension PuppetProvisioner {
    static let kind = ProvisionerKind(
        word: "puppet",
        schema: Schema.object(PuppetFields.self, "Applies a Puppet manifest.")
    ) { value, folder in
        guard let fields = Fields<PuppetFields>(value, "a map with 'manifest'") else { return nil }
        let manifest = fields[.manifest].flatMap { folder.entry($0, .file) }
        let modules = fields[.modules].map { folder.entry($0, .folder) }
        let keep = fields[.keep].map { $0.bool() } ?? false
        let settings = StepSettings.read { fields[$0 == .timeout ? .timeout : .network] }
        guard let manifest, modules != .some(nil), let keep, let settings else { return nil }
        return PuppetProvisioner(manifest: manifest, modules: modules ?? nil, keep: keep, settings: settings)
    }
}

/// The fields of `puppet`.
enum PuppetFields: String, FileField {
    case manifest, modules, keep, timeout, network

    static let required: [PuppetFields] = [.manifest]

    var schema: JSONValue {
        switch self {
        case .manifest: Schema.text(.relativePath, "The manifest, relative to the recipe's folder.")
        case .modules: Schema.text(.relativePath, "The folder of modules, relative to the recipe's folder.")
        case .keep: ToolFields.keep
        case .timeout: StepFields.timeout.schema
        case .network: StepFields.network.schema
        }
    }
}
