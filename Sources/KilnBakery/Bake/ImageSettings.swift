import KilnModel

/// What an image is like besides its tree: what its recipe says, else what its parent is.
struct ImageSettings: Sendable, Hashable {
    let disk: ByteCount
    /// How it boots.
    let boot: ImageManifest.Boot
    let size: MachineSize
    let cloudInit: ImageManifest.CloudInit
    let cloudInitModules: [String]?
    let ssh: Bool
    let volatileRoot: Bool
    let flash: Bool
    let ephemeral: [String]

    /// - Throws: `KilnError` with code `recipe.incomplete` where neither says it, and `recipe.parent-boots-itself` where the
    ///   parent has a boot loader of its own, and the steps are not done in a machine of it, or say what the kernel is told.
    init(_ recipe: Recipe, parent: ImageManifest?) throws {
        let own = recipe.settings
        let parentSize = parent?.size
        guard let disk = own.disk ?? parent?.virtualSize, let boot = try ImageSettings.boot(recipe, parent),
            let memory = own.memory ?? parentSize?.memory, let processors = own.processors ?? parentSize?.processors,
            let cloudInit = own.cloudInit ?? parent?.cloudInit, let ssh = own.ssh ?? parent?.ssh
        else {
            throw KilnError(
                .recipeIncomplete,
                "the recipe \(recipe.name) does not say how its image boots",
                hint: "give it disk, command-line, memory, processors, cloud-init and ssh",
                exit: .invalidFile
            )
        }
        self.disk = disk
        self.boot = boot
        size = MachineSize(memory: memory, processors: processors, cpu: own.cpu ?? parentSize?.cpu)
        self.cloudInit = cloudInit
        cloudInitModules = own.cloudInitModules ?? (cloudInit == .full ? parent?.cloudInitModules : nil)
        self.ssh = ssh
        volatileRoot = own.volatileRoot ?? parent?.volatileRoot ?? false
        flash = own.flash ?? parent?.flash ?? false
        ephemeral = (parent?.ephemeral ?? []) + own.ephemeral.filter { parent?.ephemeral.contains($0) != true }
    }

    private static func boot(_ recipe: Recipe, _ parent: ImageManifest?) throws -> ImageManifest.Boot? {
        let own = recipe.settings.commandLine
        guard let parent else { return own.map { .direct(commandLine: $0) } }
        switch parent.boot {
        case .direct(let line): return .direct(commandLine: own ?? line)
        case .firmware:
            guard recipe.room == .booted else { throw bootsItself(recipe, parent) }
            guard own == nil else { throw hasNoCommandLine(recipe, parent) }
            return parent.boot
        }
    }

    private static func hasNoCommandLine(_ recipe: Recipe, _ parent: ImageManifest) -> KilnError {
        KilnError(
            .recipeParentBootsItself,
            "the recipe \(recipe.name) has a command-line, but is made from \(parent.name):\(parent.version), whose own boot loader says what the kernel is told",
            hint: "leave command-line out, and let a step change the settings of the boot loader",
            exit: .invalidFile
        )
    }

    private static func bootsItself(_ recipe: Recipe, _ parent: ImageManifest) -> KilnError {
        KilnError(
            .recipeParentBootsItself,
            "the recipe \(recipe.name) is made from \(parent.name):\(parent.version), which has a boot loader of its own: its disk has partitions, and no tree can be taken from it",
            hint: "say 'bake: booted', and the steps are done in a machine of it",
            exit: .invalidFile
        )
    }

    /// Adds all of it to an image's key.
    func describe(into key: inout KeyMaterial) {
        key.add("disk", "\(disk.bytes)")
        switch boot {
        case .direct(let line): key.add("command-line", line)
        case .firmware(let firmware): key.add("firmware", firmware.rawValue)
        }
        key.add("size", "\(size.memory.bytes) \(size.processors) \(size.cpu.map { "\($0)" } ?? "")")
        key.add("cloud-init", cloudInit.rawValue)
        key.add("modules", cloudInitModules ?? ["all"])
        key.add("ssh", "\(ssh) \(volatileRoot)")
        // What was baked before there was such a thing keeps its key.
        if flash { key.add("flash", "true") }
        key.add("ephemeral", ephemeral)
    }
}
