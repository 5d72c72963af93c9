import KilnDocuments
import KilnModel
import KilnSystem

/// `shell`: runs a program of the recipe, in the tree or beside it.
struct ShellProvisioner: Provisioner {
    /// The program, below the recipe's folder.
    let run: String
    /// The files and folders of the recipe that the program uses.
    let with: [String]
    /// Folders beside the recipe's own that it uses.
    let shared: [String]
    /// Variables besides those of the version.
    let environment: [String: String]
    /// Whether it runs beside the tree, which it then makes anew.
    let outside: Bool
    let settings: StepSettings

    var summary: String { "shell \(run)\(outside ? " beside the tree" : "")" }
    var timeout: Duration { settings.timeout }
    var network: Bool { settings.network }

    var files: [String] { [run] + with }

    var needsTree: String? {
        outside ? "a program 'outside: true' works on a tree, and with 'bake: booted' there is none" : nil
    }

    func describe(into key: inout KeyMaterial, _ recipe: Recipe, _ version: Recipe.Version) throws {
        key.add("outside", "\(outside)")
        key.add(environmentOf: recipe, version, own: environment)
    }

    func provision(_ room: any BuildRoom, _ bake: BakeContext) async throws {
        if outside { return try await OutsideProgram(run, environment, timeout).run(bake) }
        try await room.run(RoomCommand(["./\(run)"], environment: environment, timeout: timeout, network: network))
    }
}

/// A program that makes a new tree of the old one, from beside it.
private struct OutsideProgram {
    let name: String
    let environment: [String: String]
    let timeout: Duration

    init(_ name: String, _ environment: [String: String], _ timeout: Duration) {
        self.name = name
        self.environment = environment
        self.timeout = timeout
    }

    func run(_ bake: BakeContext) async throws {
        let old = bake.scratch + "/tree"
        try DurableFile.rename(bake.tree.path, to: old)
        try DurableFile.makeDirectory(bake.tree.path)
        let recipe = "\(bake.scratch)/files/\(bake.recipe.name)"
        let places = [
            "KILN_TREE": old, "KILN_ROOT": bake.tree.path, "KILN_BOOT": bake.boot, "KILN_RECIPE": recipe,
            "KILN_SHARED": bake.scratch + "/files",
        ]
        // Whoever bakes: modes are the program's to say, and not those of a shell's settings.
        var command = Namespace.command(
            "/bin/sh",
            ["-c", "umask 022 && exec \"$0\"", "\(recipe)/\(name)"],
            environment: bake.variables.merging(environment) { _, own in own }.merging(places) { _, kiln in kiln }
        )
        command.deadline = timeout
        _ = try await command.lines { [log = bake.log] in log.tell($0) }
    }
}

extension ShellProvisioner {
    static let kind = ProvisionerKind(word: "shell", schema: schema) { value, folder in
        guard case .map = value.node.content else {
            return folder.program(value).map {
                ShellProvisioner(
                    run: $0,
                    with: [],
                    shared: [],
                    environment: [:],
                    outside: false,
                    settings: StepSettings(network: false)
                )
            }
        }
        guard let fields = Fields<ShellFields>(value, "a program, or a map with 'run'") else { return nil }
        let run = fields[.run].flatMap(folder.program)
        let with = folder.entries(fields[.with])
        let shared = fields[.shared]?.list(of: "folders", atLeast: 0)?.compactMap(folder.sharedFolder) ?? []
        let environment = fields[.env].map { RecipeDecoder.variables($0) } ?? [:]
        let outside = fields[.outside].map { $0.bool() } ?? false
        let settings = StepSettings.read { fields[$0 == .timeout ? .timeout : .network] }
        if outside == false {
            fields[.shared]?.problem("only a program 'outside: true' has the folders beside the recipe's own")
        }
        if outside == true {
            fields[.network]?.problem("a program 'outside: true' runs on this host, and has the host's network")
        }
        guard let run, let outside, let settings else { return nil }
        return ShellProvisioner(
            run: run,
            with: with,
            shared: shared,
            environment: environment,
            outside: outside,
            settings: settings
        )
    }

    private static var schema: JSONValue {
        Schema.either(
            [ShellFields.run.schema, Schema.object(ShellFields.self, "With settings.")],
            "A program of the recipe that is run as root of the tree."
        )
    }
}

/// The fields of `shell` with settings.
enum ShellFields: String, FileField {
    case run, with, env, outside, shared, timeout, network

    static let required: [ShellFields] = [.run]

    var schema: JSONValue {
        switch self {
        case .run: Schema.text(.relativePath, "The program, relative to the recipe's folder.")
        case .with:
            Schema.list(
                of: Schema.text(.relativePath, "A file or folder."),
                atLeast: 0,
                "The files and folders of the recipe that the program uses; it finds no others."
            )
        case .env: VersionSchema.variables
        case .outside:
            Schema.bool(
                "Whether it runs beside the tree, on this host, and makes a new one of it: see KILN_TREE; false without it."
            )
        case .shared:
            Schema.list(
                of: Schema.text(.fileName, "A folder beside the recipe's own."),
                atLeast: 0,
                "Folders beside the recipe's own that a program outside uses, too."
            )
        case .timeout: StepFields.timeout.schema
        case .network: StepFields.network.schema
        }
    }
}
