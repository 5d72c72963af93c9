import Foundation
import KilnModel

/// What is known of a member of a server, for listings.
public struct ServerStatus: Sendable, Hashable, Codable {
    /// The image of the serving generation.
    public struct Image: Sendable, Hashable, Codable {
        /// Its name.
        public let name: Name
        /// Its version.
        public let version: String
        /// Its digest.
        public let digest: ImageDigest

        /// An image from its parts.
        public init(name: Name, version: String, digest: ImageDigest) {
            self.name = name
            self.version = version
            self.digest = digest
        }
    }

    /// A published port.
    public struct Port: Sendable, Hashable, Codable {
        /// The port on 127.0.0.1.
        public let host: UInt16
        /// The port in the guest.
        public let guest: UInt16
        /// By what both are spoken to.
        public let transport: Transport

        enum CodingKeys: String, CodingKey {
            case host, guest
            case transport = "protocol"
        }
    }

    /// An operation that has not ended.
    public struct OpenOperation: Sendable, Hashable, Codable {
        /// Its number.
        public let number: Int
        /// The step that it is in.
        public let step: Step
        /// The process that works on it; nothing if it was interrupted.
        public let pid: Int32?
    }

    /// The lab.
    public let lab: Name
    /// The server's name.
    public let name: Name
    /// Which of the server's members it is; nothing where the server declares no replicas.
    public let ordinal: Int?
    /// The serving generation; nothing before the first was committed.
    public let generation: Generation?
    /// What the hypervisor says of its machine.
    public let state: MachineState
    /// The image of its machine.
    public let image: Image?
    /// By which way commands get into its guest; nothing where that was not found out yet.
    public let way: GuestWay?
    /// cloud-init's instance id of its machine.
    public let instanceID: String?
    /// The published ports by name.
    public let ports: [Name: Port]
    /// Its addresses on networks of its lab, by network.
    public let networks: [Name: NetworkAddress]
    /// Where its volumes are mounted, by volume.
    public let volumes: [Name: String]
    /// The open operation, if any.
    public let operation: OpenOperation?
    /// Whether the last operation halted and a person has to decide.
    public let isHalted: Bool
    /// How old the serving generation is, in whole seconds by the wall clock; a clock that was set back to before it was
    /// made gives 0.
    public let ageSeconds: Int?
    /// Whether it is due to be replaced: it is older than the server's `max-age`, or its channel has moved.
    public let isDue: Bool
    /// Why nothing is known of it, where its journal can't be relied on.
    public let problem: String?
    /// What is said of the image and the configuration of its machine; nothing where that can't be told.
    public internal(set) var standing: GenerationStanding?
    /// The channel that the server follows, where it points to another image by now.
    public internal(set) var moved: MovedChannel?
    /// The volumes that its guests are known to have formatted, each with the snapshot of what it held before; nothing for none.
    ///
    /// By what was found when somebody looked: no disk is read for it.
    public internal(set) var reformatted: [Name: Name]?

    /// Whether the server's front sends it requests; nothing where the server has no members or no front.
    public internal(set) var isIn: Bool?
    /// Its share of the requests that the server had since its front began, in percent; nothing as above.
    public internal(set) var share: Int?
    /// The rollout of its server that has not ended, and how it stands, for people; nothing where there is none.
    public internal(set) var rollout: String?

    /// Whether its machine was cloned, and has not booted since; nothing where it booted.
    public internal(set) var isCloned: Bool?

    /// What the lab's autopilot makes of it; nothing where there is none that looks after it, and none gave it up.
    public internal(set) var autopilot: AutopilotStanding?

    /// The member.
    public var id: MemberID { MemberID(lab: lab, server: name, ordinal: ordinal ?? 0) }

    /// How old the serving generation is.
    public var age: Duration? { ageSeconds.map { .seconds($0) } }

    enum CodingKeys: String, CodingKey {
        case lab, name, ordinal, generation, state, image, way, ports, networks, volumes, operation, problem, standing,
            moved,
            reformatted, share, rollout, autopilot
        case isCloned = "cloned"
        case isIn = "in_front"
        case instanceID = "instance_id"
        case isHalted = "halted"
        case ageSeconds = "age_seconds"
        case isDue = "due"
    }
}
