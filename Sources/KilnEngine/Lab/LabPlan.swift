import KilnModel

/// What `up` would do, without having done any of it.
public struct LabPlan: Sendable, Hashable, Codable {
    /// A volume that would be made.
    public struct Volume: Sendable, Hashable, Codable {
        /// Its name in the lab.
        public let name: Name
        /// Its size and file system.
        public let spec: VolumeSpec
        /// What it begins with, in words; nothing where that is nothing.
        public let comesFrom: String?

        enum CodingKeys: String, CodingKey {
            case name, spec
            case comesFrom = "comes_from"
        }
    }

    /// What would be done with each server, by name.
    public let servers: [PlannedAction]
    /// The volumes that would be made, by name; those that are there are used as they are.
    public let volumes: [Volume]
}

/// What `up` will do with a server.
public struct PlannedAction: Sendable, Hashable, Codable {
    /// The kinds of actions.
    public enum Kind: String, Sendable, Hashable, Codable {
        /// Its first machine is made.
        case launch
        /// Its machine is started.
        case start
        /// It runs as the file declares it.
        case nothing
        /// It runs, but was declared otherwise; only `replace` changes that.
        case differs
    }

    /// The server.
    public let server: MemberID
    /// What is done.
    public let kind: Kind
    /// The same for people.
    public let detail: String
    /// What the next machine of the server would have that the present one has not; of a launch, its image and volumes.
    public let changes: [SpecChange]
}

/// What `replace` would do, without having done any of it.
public struct ReplacementPlan: Sendable, Hashable, Codable {
    /// The server.
    public let server: MemberID
    /// The generation that serves.
    public let from: Generation
    /// The generation that would serve.
    public let to: Generation
    /// How it would follow.
    public let strategy: Strategy
    /// In what it would differ; nothing means a fresh machine of the same image and configuration.
    public let changes: [SpecChange]
    /// The volumes that would move along, and where they would be mounted.
    public let volumes: [Name: String]
    /// Whether an operation is open, which would be finished or taken back first.
    public let recoversFirst: Bool
}
