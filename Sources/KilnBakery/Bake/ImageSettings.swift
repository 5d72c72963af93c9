import KilnModel

/// What an image is like besides its tree: what its recipe says, else what its parent is.
struct ImageSettings: Sendable, Hashable {
    let disk: ByteCount
    let commandLine: String
    let size: MachineSize
    let cloudInit: ImageManifest.CloudInit
    let cloudInitModules: [String]?
    let ssh: Bool
    let volatileRoot: Bool
    let ephemeral: [String]

    /// - Throws: `KilnError` with code `recipe.incomplete` where neither says it, and `recipe.parent-boots-itself` where the
    ///   parent has a boot loader of its own.
    init(_ recipe: Recipe, parent: ImageManifest?) throws {
        let own = recipe.settings
        var parentLine: String?
        if let parent {
            guard case .direct(let line) = parent.boot else { throw ImageSettings.bootsItself(recipe, parent) }
            parentLine = line
        }
        let parentSize = parent?.size
        guard let disk = own.disk ?? parent?.virtualSize, let commandLine = own.commandLine ?? parentLine,
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
        self.commandLine = commandLine
        size = MachineSize(memory: memory, processors: processors, cpu: own.cpu ?? parentSize?.cpu)
        self.cloudInit = cloudInit
        cloudInitModules = own.cloudInitModules ?? (cloudInit == .full ? parent?.cloudInitModules : nil)
        self.ssh = ssh
        volatileRoot = own.volatileRoot ?? parent?.volatileRoot ?? false
        ephemeral = (parent?.ephemeral ?? []) + own.ephemeral.filter { parent?.ephemeral.contains($0) != true }
    }

    private static func bootsItself(_ recipe: Recipe, _ parent: ImageManifest) -> KilnError {
        KilnError(
            .recipeParentBootsItself,
            "the recipe \(recipe.name) is made from \(parent.name):\(parent.version), which has a boot loader of its own: its disk has partitions, and no tree can be taken from it",
            hint: "make it from an image that Kiln baked, such as debian-13:1",
            exit: .invalidFile
        )
    }

    /// Adds all of it to an image's key.
    func describe(into key: inout KeyMaterial) {
        key.add("disk", "\(disk.bytes)")
        key.add("command-line", commandLine)
        key.add("size", "\(size.memory.bytes) \(size.processors) \(size.cpu.map { "\($0)" } ?? "")")
        key.add("cloud-init", cloudInit.rawValue)
        key.add("modules", cloudInitModules ?? ["all"])
        key.add("ssh", "\(ssh) \(volatileRoot)")
        key.add("ephemeral", ephemeral)
    }
}
