import KilnDocuments
import KilnModel

/// The fields of a recipe.
enum RecipeFields: String, FileField {
    case kilnImage = "kiln-image"
    case name, about, debian, from, download, snapshot, bake, provision, tests
    case inheritTests = "inherit-tests"
    case disk
    case commandLine = "command-line"
    case memory, processors, cpu
    case cloudInit = "cloud-init"
    case cloudInitModules = "cloud-init-modules"
    case ssh
    case volatileRoot = "volatile-root"
    case flash, ephemeral, versions

    static let required: [RecipeFields] = [
        .kilnImage, .name, .about, .versions,
    ]

    /// What a recipe without a parent has to say, too.
    static let settings: [RecipeFields] = [.disk, .commandLine] + guests

    /// What one that downloads a disk has to say, too.
    static let guests: [RecipeFields] = [.memory, .processors, .cloudInit, .ssh]

    /// What belongs to steps: a disk that is downloaded is taken as it is, unless they are done in a machine of it.
    static let ofSteps: [RecipeFields] = [.provision, .snapshot]

    /// What belongs to a tree: a disk that is downloaded has it already.
    static let ofTrees: [RecipeFields] = [.disk, .commandLine, .volatileRoot, .flash]

    static let instead = [
        "assemble": "it is a step: 'provision: [{ shell: { run: PROGRAM, outside: true } }]'",
        "shared": "it belongs to the step: 'provision: [{ shell: { run: PROGRAM, outside: true, shared: [FOLDER] } }]'",
    ]

    var schema: JSONValue {
        switch self {
        case .kilnImage: ["const": 1, "description": "The version of the format."]
        case .name: Schema.name("What the image is called: the name of the recipe's folder.")
        case .about: Schema.text("What it is, in a sentence.")
        case .debian: DebianFields.short
        case .from:
            Schema.text("The image that it is made from: name:version, name@channel or name@sha256:…")
        case .download: Schema.object(DownloadFields.self, "The disk that others publish, which is taken as it is.")
        case .snapshot:
            Schema.titled(
                "date",
                Schema.pattern(
                    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
                    "The day whose packages count, such as 2026-11-01; without it what the mirrors have."
                )
            )
        case .bake:
            Schema.words(
                Recipe.Room.self,
                "Where the steps are done: chroot, a tree of which a disk is made, or booted, a machine of the image that it begins as, whose disk becomes the image; chroot without it."
            )
        case .provision:
            Schema.list(of: ProvisionerKind.entry, atLeast: 0, "What is done to the tree of each version, in order.")
        case .tests:
            CheckSchema.list(ImageTests.self, "What is expected of the image: it has to pass them to be promoted.")
        case .inheritTests:
            Schema.bool("Whether the parent's tests are expected of it, too; true without it.")
        case .versions:
            Schema.map(
                of: VersionSchema.version,
                keys: .version,
                atLeast: 1,
                "The versions, each with its variables, and with a 'from' and a 'provision' of its own where others have another."
            )
        case .disk, .memory, .processors, .cpu: machine
        case .commandLine, .cloudInit, .cloudInitModules, .ssh, .volatileRoot, .flash, .ephemeral: guest
        }
    }

    // The fields that say what a machine of the image computes with.
    private var machine: JSONValue {
        switch self {
        case .disk: Schema.size("The size of the disk, such as 2GiB.")
        case .memory: Schema.size("Memory of a machine whose server says nothing of it, such as 768MiB.")
        case .processors: Schema.whole(1...64, "Virtual processors of a machine whose server says nothing of them.")
        default:
            Schema.processorModel(
                "x86-64-v2, x86-64-v3, host or a model of the hypervisor's, where the server names none."
            )
        }
    }

    // The fields that say what a guest of the image is like.
    private var guest: JSONValue {
        switch self {
        case .commandLine: Schema.text(.line, "What the kernel is told.")
        case .cloudInit:
            Schema.words(
                ImageManifest.CloudInit.self,
                "What reads the seed in the guest: cloud-init, a subset of it, or nothing."
            )
        case .cloudInitModules:
            Schema.list(
                of: Schema.text(.cloudInitModule, "A module, as cloud.cfg spells it."),
                atLeast: 0,
                "Of full cloud-init the modules that its cloud.cfg runs, so that Kiln can name the keys of user-data that it does not do; without it, all."
            )
        case .ssh: Schema.bool("Whether the guest runs an SSH server.")
        case .volatileRoot: Schema.bool("Whether the guest heeds kiln.root=volatile; false without it.")
        case .flash:
            Schema.bool("Whether the guest heeds kiln.hold, so that servers can be cloned; false without it.")
        default:
            Schema.list(
                of: Schema.text(.rootPath, "A path; a directory covers what is below it."),
                atLeast: 0,
                "What may differ on a running root without being drift."
            )
        }
    }
}

/// The fields of `debian`.
enum DebianFields: String, FileField {
    case suite, variant, packages, mirror, keyring

    static let required: [DebianFields] = [.suite, .variant]

    /// A suite alone, or a map of the fields.
    static var short: JSONValue {
        Schema.either(
            [DebianFields.suite.schema, Schema.object(DebianFields.self, "With settings.")],
            "What mmdebstrap makes the tree from; a suite alone is its minbase."
        )
    }

    var schema: JSONValue {
        switch self {
        case .suite: Schema.text(.suite, "The suite's code name, such as trixie.")
        case .variant: Schema.text(.variant, "The variant of mmdebstrap, such as minbase or extract.")
        case .packages:
            Schema.list(
                of: Schema.text(.package, "A package."),
                atLeast: 0,
                "The packages besides those of the variant."
            )
        case .mirror:
            DebianFields.oneOrMore(.mirror, "Where Debian is, where the host's apt shall not say: URLs of mirrors.")
        case .keyring:
            DebianFields.oneOrMore(
                .keyring,
                "What signs the mirrors: files of OpenPGP keys, absolute or below the recipe's folder."
            )
        }
    }

    private static func oneOrMore(_ form: TextForm, _ about: String) -> JSONValue {
        let one = Schema.text(form, "One.")
        return Schema.either([one, Schema.list(of: one, "Several.")], about)
    }
}

/// How a version is written.
enum VersionSchema {
    static var version: JSONValue {
        guard case .object(var map) = variables else { return .null }
        // A map of variables, but for two fields.
        map["title"] = "version"
        map["properties"] = [
            "from": RecipeFields.from.schema,
            "provision": Schema.list(
                of: ProvisionerKind.entry,
                atLeast: 0,
                "What is done to the tree of this version alone, before what the recipe says of each."
            ),
        ]
        map["propertyNames"] = ["pattern": .string("^from$|^provision$|" + TextForm.variable.pattern)]
        return .object(map)
    }

    static var variables: JSONValue {
        Schema.titled(
            "variables",
            Schema.map(
                of: Schema.written("The variable's text."),
                keys: .variable,
                "What the program finds in its environment, besides Kiln's own variables."
            )
        )
    }
}
