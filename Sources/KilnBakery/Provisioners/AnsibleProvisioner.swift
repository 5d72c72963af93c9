import KilnDocuments
import KilnModel

/// `ansible`: plays a playbook on the tree itself.
struct AnsibleProvisioner: Provisioner {
    /// The playbook, below the recipe's folder; its hosts are `all` or `localhost`.
    let playbook: String
    /// Files and folders that it uses, such as `roles`.
    let with: [String]
    let keep: Bool
    let settings: StepSettings

    static let tool = ToolPackage(
        program: "ansible-playbook",
        package: "ansible-core",
        leftovers: ["/root/.ansible", "/etc/ansible/facts.d/.cache"]
    )

    var summary: String { "ansible \(playbook)" }
    var timeout: Duration { settings.timeout }
    var network: Bool { settings.network }
    var fetchesTool: Bool { true }
    var files: [String] { [playbook] + with }

    func describe(into key: inout KeyMaterial, _ recipe: Recipe, _ version: Recipe.Version) throws {
        key.add("keep", "\(keep)")
        key.add(environmentOf: recipe, version)
    }

    func provision(_ room: any BuildRoom, _ bake: BakeContext) async throws {
        try await AnsibleProvisioner.tool.use(in: room, bake, keep: keep) {
            try await bake.repeatably(in: room, besides: AnsibleProvisioner.tool.leftovers) { try await apply(room) }
        }
    }

    private func apply(_ room: any BuildRoom) async throws {
        try await room.run(
            RoomCommand(
                ["ansible-playbook", "--inventory", "localhost,", "--connection", "local", playbook],
                environment: [
                    "ANSIBLE_HOME": "/run/kiln/ansible", "ANSIBLE_LOCAL_TEMP": "/tmp/ansible",
                    "ANSIBLE_REMOTE_TEMP": "/tmp/ansible", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_RETRY_FILES_ENABLED": "0",
                    "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3", "PYTHONDONTWRITEBYTECODE": "1",
                ],
                timeout: timeout,
                network: network
            )
        )
    }
}

extension AnsibleProvisioner {
    static let kind = ProvisionerKind(
        word: "ansible",
        schema: Schema.object(AnsibleFields.self, "Plays an Ansible playbook on the tree itself.")
    ) { value, folder in
        guard let fields = Fields<AnsibleFields>(value, "a map with 'playbook'") else { return nil }
        let playbook = fields[.playbook].flatMap { folder.entry($0, .file) }
        let with = folder.entries(fields[.with])
        let keep = fields[.keep].map { $0.bool() } ?? false
        let settings = StepSettings.read { fields[$0 == .timeout ? .timeout : .network] }
        guard let playbook, let keep, let settings else { return nil }
        return AnsibleProvisioner(playbook: playbook, with: with, keep: keep, settings: settings)
    }
}

/// The fields of `ansible`.
enum AnsibleFields: String, FileField {
    case playbook, with, keep, timeout, network

    static let required: [AnsibleFields] = [.playbook]

    var schema: JSONValue {
        switch self {
        case .playbook: Schema.text(.relativePath, "The playbook, relative to the recipe's folder.")
        case .with: ShellFields.with.schema
        case .keep: ToolFields.keep
        case .timeout: StepFields.timeout.schema
        case .network: StepFields.network.schema
        }
    }
}
