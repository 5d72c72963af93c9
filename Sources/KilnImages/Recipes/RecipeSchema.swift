import KilnModel

/// The JSON Schema of recipes.
public enum RecipeSchema {
    /// The schema, draft 2020-12.
    public static let document: JSONValue = [
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Kiln recipe", "type": "object",
        "description": "How an image is baked.", "additionalProperties": false,
        "required": [
            "kiln-image", "name", "about", "debian", "assemble", "disk", "command-line", "memory", "processors",
            "cloud-init", "ssh", "versions",
        ],
        "properties": [
            "kiln-image": ["const": 1, "description": "The version of the format."],
            "name": text("The folder's name."),
            "about": text("What the image is, in a sentence."),
            "debian": debian,
            "assemble": text("The program that makes the image of the packages, a file of the folder."),
            "shared": list("Folders beside it whose files the program uses too."),
            "disk": size("The size of the root disk."),
            "command-line": text("What the kernel is told."),
            "memory": size("Memory of a machine whose server says nothing of it."),
            "processors": [
                "type": "integer", "minimum": 1, "maximum": 64,
                "description": "Virtual processors of a machine whose server says nothing of them.",
            ],
            "cpu": text(
                "x86-64-v2, x86-64-v3, host or a model of the hypervisor's, where a server says nothing of it."
            ),
            "cloud-init": [
                "enum": ["full", "subset", "none"],
                "description": "What reads the seed in the guest: cloud-init, a part of it as in tiny, or nothing.",
            ],
            "ssh": ["type": "boolean", "description": "Whether there is an SSH server."],
            "volatile-root": [
                "type": "boolean",
                "description": "Whether it can keep its root in memory, where the kernel is told kiln.root=volatile.",
            ],
            "ephemeral": list("Paths that may differ on a running root without being drift."),
            "versions": [
                "type": "object",
                "additionalProperties": ["type": "object", "additionalProperties": ["type": "string"]],
                "description": "Each version, with the variables that the program gets.",
            ],
        ],
    ]

    private static let debian: JSONValue = [
        "type": "object", "additionalProperties": false, "required": ["suite", "variant"],
        "description": "What mmdebstrap makes the tree from.",
        "properties": [
            "suite": text("The code name of a Debian release, such as trixie."),
            "variant": text("mmdebstrap's variant, such as minbase."),
            "packages": list("Packages besides those of the variant."),
        ],
    ]

    private static func text(_ about: String) -> JSONValue { ["type": "string", "description": .string(about)] }

    private static func size(_ about: String) -> JSONValue {
        ["title": "size", "type": "string", "pattern": "^[1-9][0-9]*(KiB|MiB|GiB|TiB)$", "description": .string(about)]
    }

    private static func list(_ about: String) -> JSONValue {
        ["type": "array", "items": ["type": "string"], "description": .string(about)]
    }
}
