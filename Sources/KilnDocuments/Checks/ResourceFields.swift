import KilnModel

// The fields of what is expected in a guest, by goss's names: https://goss.rocks/gossfile/

/// The fields of a `file`.
enum FileResourceFields: String, FileField {
    case path, exists, type, filetype, mode, owner, group, size, contents, sha256
    case linkedTo = "linked-to"

    static let required: [FileResourceFields] = [.path]
    static let instead = ["title": "it is 'path'", "md5": "it is 'sha256'", "sha512": "it is 'sha256'"]

    var schema: JSONValue {
        switch self {
        case .path: Schema.text(.guestFile, "The path; a link at its end is looked at itself.")
        case .exists: Schema.bool("Whether anything lies there; true without it.")
        case .type, .filetype: Schema.words(FileResource.Kind.self, "What lies there; goss calls it filetype.")
        case .mode: Schema.octal("The permission bits as octal digits, such as '0644'.")
        case .owner: Schema.pattern("The user who owns it, by name or number.")
        case .group: Schema.pattern("The group that owns it, by name or number.")
        case .size: Schema.number("The bytes of a regular file.")
        case .contents: Schema.patterns("What its content has to be like; all of it holds.")
        case .sha256: Schema.pattern("^[0-9a-f]{64}$", "The sha256 of its content.")
        case .linkedTo: Schema.pattern("Where a link leads, as it is written in it.")
        }
    }
}

/// The fields of a `package`.
enum PackageResourceFields: String, FileField {
    case name, installed, version, versions

    static let required: [PackageResourceFields] = [.name]

    var schema: JSONValue {
        switch self {
        case .name: Schema.text(.packageName, "The package's name.")
        case .installed: Schema.bool("Whether it is installed; true without it.")
        case .version, .versions: Schema.patterns("What its version has to be like; all of it holds.")
        }
    }
}

/// The fields of a `service`.
enum ServiceResourceFields: String, FileField {
    case name, enabled, running

    static let required: [ServiceResourceFields] = [.name]

    var schema: JSONValue {
        switch self {
        case .name: Schema.text(.unit, "The unit; '.service' may be left out.")
        case .enabled: Schema.bool("Whether it is started at boot, or by what needs it.")
        case .running: Schema.bool("Whether it runs.")
        }
    }
}

/// The fields of a `port`.
enum PortResourceFields: String, FileField {
    case port, listening, ip

    static let required: [PortResourceFields] = []

    var schema: JSONValue {
        switch self {
        case .port, .listening:
            Schema.either(
                [
                    Schema.whole(1...65_535, "A TCP port."),
                    Schema.pattern("^(tcp:|udp:)?[1-9][0-9]{0,4}$", "A port with its protocol."),
                ],
                "The port on which something listens, such as tcp:22."
            )
        case .ip: Schema.patterns("The addresses on which it listens, such as 0.0.0.0; each is one of them.")
        }
    }
}

/// The fields of a `process`.
enum ProcessResourceFields: String, FileField {
    case name, running, count

    static let required: [ProcessResourceFields] = [.name]

    var schema: JSONValue {
        switch self {
        case .name: Schema.text(.processName, "The name that the kernel has: the first 15 bytes of the program's.")
        case .running: Schema.bool("Whether there is one; true without it.")
        case .count: Schema.number("How many there are.")
        }
    }
}

/// The fields of a `user`.
enum UserResourceFields: String, FileField {
    case name, exists, uid, gid, home, shell, groups

    static let required: [UserResourceFields] = [.name]

    var schema: JSONValue {
        switch self {
        case .name: Schema.text(.account, "The account's name.")
        case .exists: Schema.bool("Whether there is one; true without it.")
        case .uid: Schema.number("Its number.")
        case .gid: Schema.number("The number of its own group.")
        case .home: Schema.pattern("Its home directory.")
        case .shell: Schema.pattern("Its shell.")
        case .groups: Schema.patterns("The groups that it is in; each is one of them.")
        }
    }
}

/// The fields of a `group`.
enum GroupResourceFields: String, FileField {
    case name, exists, gid

    static let required: [GroupResourceFields] = [.name]

    var schema: JSONValue {
        switch self {
        case .name: Schema.text(.account, "The group's name.")
        case .exists: Schema.bool("Whether there is one; true without it.")
        case .gid: Schema.number("Its number.")
        }
    }
}

/// The fields of a `command`.
enum CommandResourceFields: String, FileField {
    case run, stdout, stderr
    case exitStatus = "exit-status"

    static let required: [CommandResourceFields] = [.run]

    var schema: JSONValue {
        switch self {
        case .run: Schema.command("What to run in the guest.")
        case .stdout: Schema.patterns("What it has to write to standard output; all of it holds.")
        case .stderr: Schema.patterns("What it has to write to standard error; all of it holds.")
        case .exitStatus: Schema.number("The exit status; 0 without it.")
        }
    }
}

/// The fields of a `mount`.
enum MountResourceFields: String, FileField {
    case path, exists, source, filesystem, opts

    static let required: [MountResourceFields] = [.path]

    static let instead = [
        "usage": "ask a program: 'command: { run: [df, …] }' with 'stdout'", "vfs-opts": "it is 'opts'",
    ]

    var schema: JSONValue {
        switch self {
        case .path: Schema.text(.guestFile, "The mount point.")
        case .exists: Schema.bool("Whether anything is mounted there; true without it.")
        case .source: Schema.pattern("The device.")
        case .filesystem: Schema.pattern("The kind of file system.")
        case .opts: Schema.patterns("The options; each is one of them.")
        }
    }
}

/// The bounds of a number.
enum NumberFields: String, FileField {
    case lt, le, gt, ge

    static let required: [NumberFields] = []

    var schema: JSONValue {
        switch self {
        case .lt: Schema.atLeastNothing("It is less.")
        case .le: Schema.atLeastNothing("It is less, or equal.")
        case .gt: Schema.atLeastNothing("It is greater.")
        case .ge: Schema.atLeastNothing("It is greater, or equal.")
        }
    }
}
