import KilnDocuments
import KilnModel

/// The fields of a file.
enum FileFields: String, FileField {
    case kiln, name, about, tags, vars, matrix, lab, external, steps, finally
    case stepsNamed = "steps-named"

    static let required: [FileFields] = [.kiln, .name, .lab]

    var schema: JSONValue {
        switch self {
        case .kiln: ["const": 1, "description": "The version of the format."]
        case .name: Schema.name("What the lab or scenario is called.")
        case .about: Schema.text("What it shows, in a sentence.")
        case .lab:
            Schema.either(
                [
                    Schema.text("A lab file, relative to this one."),
                    Schema.titled("lab", Schema.object(LabFields.self, "What is brought up together.")),
                ],
                "The lab, or the file that declares it."
            )
        case .external:
            Schema.named(
                Schema.titled("external service", Schema.object(ExternalFields.self, "A service of the host.")),
                "Services that a run has beside its machines, on the host, by name. A lab file has none."
            )
        case .tags: Schema.list(of: Schema.name("A tag."), "What a scenario can be chosen by.")
        case .vars:
            Schema.named(
                Schema.written("What it stands for."),
                "Values that '${vars.NAME}' stands for, anywhere in the file."
            )
        case .matrix:
            Schema.named(
                Schema.list(of: Schema.written("One value."), "The values that '${matrix.NAME}' takes."),
                "Values of which each combination is a scenario of its own."
            )
        case .steps: StepSchema.list("What is done, in order. A lab file has none.")
        case .finally: StepSchema.list("What is done at the end of a run, however that ends; all of it is tried.")
        case .stepsNamed: Schema.named(StepSchema.list("Some steps."), "Steps that 'use: NAME' stands for.")
        }
    }
}

/// The fields of a lab.
enum LabFields: String, FileField {
    case volumes, servers, images, networks

    static let required: [LabFields] = [.servers]

    var schema: JSONValue {
        switch self {
        case .images:
            Schema.words(
                ImagePolicy.self,
                "What new generations may be made from: any image that is not revoked, or only what passed its tests; any without it."
            )
        case .networks:
            Schema.named(
                Schema.titled(
                    "network",
                    [
                        "type": "object", "additionalProperties": false,
                        "description": "A network of the lab's own, which leads nowhere else; it has no fields.",
                    ]
                ),
                "Networks by name, by which the servers on them reach each other by name."
            )
        case .volumes:
            Schema.named(
                Schema.titled("volume", Schema.object(VolumeFields.self, "A persistent disk with a life of its own.")),
                "Volumes by name."
            )
        case .servers:
            Schema.named(
                Schema.titled("server", Schema.object(ServerFields.self, "A named thing that serves.")),
                "Servers by name."
            )
        }
    }
}

/// The fields of a volume.
enum VolumeFields: String, FileField {
    case size, filesystem

    static let required: [VolumeFields] = [.size]

    var schema: JSONValue {
        switch self {
        case .size: Schema.size("The size that the guest sees, such as 256MiB.")
        case .filesystem:
            Schema.words(
                VolumeSpec.FileSystem.self,
                "What the host puts on it, once, when it is created; ext4 without it."
            )
        }
    }
}

/// The fields of a server.
enum ServerFields: String, FileField {
    case image, memory, processors, cpu, disk, volumes, ports, ready, network, networks, root, strategy, verify, drain,
        ephemeral
    case userData = "user-data"
    case userDataFile = "user-data-file"
    case readyTimeout = "ready-timeout"
    case stopTimeout = "stop-timeout"
    case warmReady = "warm-ready"
    case afterAttach = "after-attach"
    case minHealthy = "min-healthy"
    case healthyDeadline = "healthy-deadline"
    case consoleAllow = "console-allow"
    case keepRoots = "keep-roots"
    case hiddenData = "hidden-data"
    case maxAge = "max-age"
    case hold, connections
    case drainTimeout = "drain-timeout"
    case replicas, rollout, heal, autoscale, launch
    case volumeFrom = "volume-from"
    case afterClone = "after-clone"

    static let required: [ServerFields] = [.image]

    var schema: JSONValue {
        switch self {
        case .image:
            Schema.image(
                "The image to boot from: name (its newest version), name:version, name@channel or name@sha256:<digits>."
            )
        case .memory: Schema.size("Memory of a machine; without it the image's default.")
        case .processors: Schema.whole(1...64, "Virtual processors; without it the image's default.")
        case .cpu:
            Schema.processorModel(
                "x86-64-v2, x86-64-v3, host or a model of the hypervisor's; without it the image's default."
            )
        case .disk:
            Schema.size("The root disk of a machine, no smaller than the image's; without it of the same size.")
        case .volumes:
            Schema.named(Schema.guestPath("Where it is mounted."), "Volumes by name, and where each is mounted.")
        case .ports: Schema.named(PortFields.port, "Published ports by name.")
        case .networks:
            Schema.either(
                [
                    Schema.name("A network of the lab."),
                    Schema.list(of: Schema.name("A network of the lab."), "Up to \(NetworkID.mostOfServer) networks."),
                ],
                "The networks of the lab that it is on, a card for each; none without it."
            )
        case .network:
            Schema.words(
                ServerSpec.Network.self,
                "open: reaches the host and beyond; isolated: nothing; open without it."
            )
        case .root:
            Schema.words(
                ServerSpec.Root.self,
                "persistent: what the guest writes to its root is kept for the generation; volatile: gone at a reboot; persistent without it."
            )
        case .userData:
            Schema.either(
                [["type": "object"], Schema.pattern(userDataPattern, "Text in one of cloud-init's forms.")],
                "User-data for cloud-init: a map, or text in one of its forms."
            )
        case .userDataFile: Schema.text("A file with cloud-init user-data in any of its forms, relative to this one.")
        case .ephemeral:
            Schema.list(
                of: Schema.guestPath("A path."),
                "What may differ on the root without being drift, besides what the image declares."
            )
        case .keepRoots:
            Schema.whole(0...16, "How many roots of past generations are kept to be looked at; 1 without it.")
        case .maxAge: Schema.longDuration("The age at which a generation is due to be replaced, such as 30d.")
        case .ready, .readyTimeout, .minHealthy, .healthyDeadline, .consoleAllow: health
        case .strategy, .warmReady, .afterAttach, .verify, .drain, .stopTimeout, .hiddenData: replacement
        case .hold, .connections, .drainTimeout: front
        case .replicas, .rollout, .volumeFrom, .afterClone: fleet
        case .heal: HealFields.schema
        case .autoscale: AutoscaleFields.schema
        case .launch:
            Schema.words(
                ServerSpec.Launch.self,
                "boot: new machines boot; flash: they are cloned from one that has booted before, as far as that can be done; boot "
                    + "without it."
            )
        }
    }

    // The fields that say how many members there are, and how those come and go.
    private var fleet: JSONValue {
        switch self {
        case .replicas:
            Schema.whole(
                1...MemberID.most,
                "How many members it has, each with volumes of its own, behind one front; without it is its only one."
            )
        case .volumeFrom:
            Schema.pattern(
                "^(clone( [0-9]+)?|snapshot [a-z][a-z0-9-]*|empty)$",
                "What the volumes of a new member begin with, once another one serves: clone (of the first one), clone "
                    + "ORDINAL, snapshot NAME or empty; clone without it."
            )
        case .afterClone:
            HookFields.list("Run once in a new member with a copy of another one's data, before it has to be ready.")
        default: RolloutFields.schema
        }
    }

    private var userDataPattern: String {
        #"^\s*(#!|#include|#part-handler|#cloud-(config|boothook)|## template: jinja)|[Mm][Ii][Mm][Ee]-[Vv]ersion:"#
    }

    // The fields that say how clients are kept.
    private var front: JSONValue {
        switch self {
        case .hold:
            Schema.duration(
                "How long requests wait while no machine serves; without it they fail then. It takes HAProxy on this host."
            )
        case .connections:
            Schema.whole(
                1...FrontSpec.mostConnections,
                "How many connections a machine gets at once by each port where they are held; without it 1 where a check "
                    + "shows that the port speaks HTTP, elsewhere no limit below 1,000."
            )
        default:
            Schema.duration(
                "How long a machine may go on with what clients have begun before it is stopped; 10s without it."
            )
        }
    }

    // The fields that say when a machine is healthy.
    private var health: JSONValue {
        switch self {
        case .readyTimeout:
            Schema.duration("How long a machine may take to be ready; without it 120s with KVM, 300s without KVM.")
        case .minHealthy:
            Schema.duration(
                "The soak: how long a new machine has to stay ready before it counts as healthy; none without it."
            )
        case .healthyDeadline:
            Schema.duration("How long readiness and min-healthy may take together; their sum without it.")
        case .consoleAllow:
            Schema.list(of: Schema.text("A text."), "Console lines that contain one of these fail no machine.")
        default:
            CheckSchema.list(
                ServerChecks.self,
                "What must hold for the server to be ready, in order; cloud-init without it."
            )
        }
    }

    // The fields that say how one generation follows another.
    private var replacement: JSONValue {
        switch self {
        case .warmReady:
            CheckSchema.list(
                ServerChecks.self,
                "warm-first: what must hold before the old machine is stopped; cloud-init without it."
            )
        case .afterAttach: HookFields.list("Run in a machine once its volumes are mounted, after every boot, in order.")
        case .verify:
            CheckSchema.list(
                ServerChecks.self,
                "What must hold in a healthy new machine for it to be kept, in order; else it is reverted. Clients reach it by then: what "
                    + "they must not meet belongs to ready."
            )
        case .drain:
            HookFields.list(
                "Run in the old machine, or in that of a member that goes, before it is shut down; in order."
            )
        case .stopTimeout:
            Schema.duration("How long a machine may take to shut down before that counts as refused; 60s without it.")
        case .hiddenData:
            Schema.words(
                ServerSpec.HiddenData.self,
                "Data that a volume hides on the old root: report it and keep the root, or abort; report without it."
            )
        default:
            Schema.words(
                Strategy.self,
                "stop-first: stop, then boot; warm-first: boot, then stop and move the volumes; stop-first without it."
            )
        }
    }
}

/// The fields of a published port that is written as a map.
enum PortFields: String, FileField {
    case guest, host
    case transport = "protocol"

    static let required: [PortFields] = [.guest]

    var schema: JSONValue {
        switch self {
        case .guest: Schema.whole(1...65_535, "The port that the guest listens on.")
        case .transport: Schema.words(Transport.self, "tcp for connections, udp for datagrams; tcp without it.")
        case .host: Schema.whole(1...65_535, "The port on 127.0.0.1; without it Kiln chooses one and keeps it.")
        }
    }

    static var port: JSONValue {
        Schema.titled(
            "port",
            Schema.either(
                [PortFields.guest.schema, Schema.object(PortFields.self, "Both ends of the port.")],
                "The guest's port, or both ends."
            )
        )
    }
}
