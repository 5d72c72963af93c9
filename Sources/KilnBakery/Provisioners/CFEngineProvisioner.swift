import KilnDocuments
import KilnModel

/// `cfengine`: keeps a policy's promises with cf-agent.
///
/// cf-agent tells by its lines, not by its exit status, what it could not do: an error line fails the step.
struct CFEngineProvisioner: Provisioner {
    /// The policy's file, below the recipe's folder.
    let policy: String
    /// Files and folders that the policy uses.
    let with: [String]
    let keep: Bool
    let settings: StepSettings

    static let tool = ToolPackage(
        program: "cf-agent",
        package: "cfengine3",
        leftovers: ["/var/lib/cfengine3", "/var/cfengine", "/var/log/CFEngine-Install.log", "/var/log/cfengine3"]
    )

    var summary: String { "cfengine \(policy)" }
    var timeout: Duration { settings.timeout }
    var network: Bool { settings.network }
    var fetchesTool: Bool { true }
    var files: [String] { [policy] + with }

    func describe(into key: inout KeyMaterial, _ recipe: Recipe, _ version: Recipe.Version) throws {
        key.add("keep", "\(keep)")
        key.add(environmentOf: recipe, version)
    }

    func provision(_ room: any BuildRoom, _ bake: BakeContext) async throws {
        try await CFEngineProvisioner.tool.use(in: room, bake, keep: keep) {
            try await bake.repeatably(in: room, besides: CFEngineProvisioner.tool.leftovers) { try await apply(room) }
        }
    }

    private func apply(_ room: any BuildRoom) async throws {
        // Policies have to belong to root and to nobody else; what a checkout's files are like is no matter of theirs.
        let script = """
            set -eu
            # A machine may have those of the step before.
            rm -rf /tmp/policy
            cp -R /run/kiln/recipe /tmp/policy && chmod -R go-w /tmp/policy && chown -R 0:0 /tmp/policy
            cd /tmp/policy
            status=0
            cf-agent --no-lock --color=never --inform --file "/tmp/policy/$1" > /tmp/said 2>&1 || status=$?
            cat /tmp/said
            [ "$status" -eq 0 ] && ! grep -q '^ *error:' /tmp/said
            """
        try await room.run(
            RoomCommand(["/bin/sh", "-c", script, "cfengine", policy], timeout: timeout, network: network)
        )
    }
}

extension CFEngineProvisioner {
    static let kind = ProvisionerKind(
        word: "cfengine",
        schema: Schema.object(CFEngineFields.self, "Keeps the promises of a CFEngine policy.")
    ) { value, folder in
        guard let fields = Fields<CFEngineFields>(value, "a map with 'policy'") else { return nil }
        let policy = fields[.policy].flatMap { folder.entry($0, .file) }
        let with = folder.entries(fields[.with])
        let keep = fields[.keep].map { $0.bool() } ?? false
        let settings = StepSettings.read { fields[$0 == .timeout ? .timeout : .network] }
        guard let policy, let keep, let settings else { return nil }
        return CFEngineProvisioner(policy: policy, with: with, keep: keep, settings: settings)
    }
}

/// The fields of `cfengine`.
enum CFEngineFields: String, FileField {
    case policy, with, keep, timeout, network

    static let required: [CFEngineFields] = [.policy]

    var schema: JSONValue {
        switch self {
        case .policy: Schema.text(.relativePath, "The policy's file, relative to the recipe's folder.")
        case .with: ShellFields.with.schema
        case .keep: ToolFields.keep
        case .timeout: StepFields.timeout.schema
        case .network: StepFields.network.schema
        }
    }
}

/// Fields that the tools have in common.
enum ToolFields {
    static let keep = Schema.bool(
        "Whether a tool that was installed for this step stays in the image, with its state; false without it."
    )
}
