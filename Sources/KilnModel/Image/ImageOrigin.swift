/// What a baked image was made from, and how; part of its manifest, so nothing in it tells when or where.
public struct ImageOrigin: Sendable, Hashable, Codable {
    /// An image further up.
    public struct Parent: Sendable, Hashable, Codable {
        /// Its name when the child was baked.
        public let name: Name
        /// Its version when the child was baked.
        public let version: String
        /// What it is.
        public let digest: ImageDigest

        /// A parent from its parts.
        public init(name: Name, version: String, digest: ImageDigest) {
            self.name = name
            self.version = version
            self.digest = digest
        }
    }

    /// How many paths a step added, changed and removed.
    public struct Changes: Sendable, Hashable, Codable {
        /// Paths that were not there before.
        public let added: Int
        /// Paths that differ from before.
        public let changed: Int
        /// Paths that are gone.
        public let removed: Int

        /// Changes from their counts.
        public init(added: Int, changed: Int, removed: Int) {
            self.added = added
            self.changed = changed
            self.removed = removed
        }
    }

    /// A step of the bake.
    public struct Step: Sendable, Hashable, Codable {
        /// What made it, such as `packages` or `puppet`.
        public let kind: String
        /// What it did, in a line.
        public let summary: String
        /// sha256 over everything that its result depends on.
        public let key: ImageDigest
        /// What it changed in the tree.
        public let changes: Changes

        /// A step from its parts.
        public init(kind: String, summary: String, key: ImageDigest, changes: Changes) {
            self.kind = kind
            self.summary = summary
            self.key = key
            self.changes = changes
        }
    }

    /// The chain of images that it descends from, the nearest first; none where it began with a suite.
    public let parents: [Parent]
    /// The images of which it took files; nothing where it took none.
    public let taken: [Parent]?
    /// The steps, in the order in which they were done.
    public let steps: [Step]
    /// The versions of the programs that made it, by name; of some, as of Kiln itself, others make the same image.
    public let tools: [String: String]
    /// The date to which its packages are pinned, such as `2026-11-01`; nothing where they are what the mirror had.
    public let snapshot: String?
    /// Why another bake of the same recipe may give another digest; none where it gives the same.
    public let notReproducible: [String]

    /// An origin from its parts.
    public init(
        parents: [Parent] = [],
        taken: [Parent]? = nil,
        steps: [Step] = [],
        tools: [String: String] = [:],
        snapshot: String? = nil,
        notReproducible: [String] = []
    ) {
        self.parents = parents
        self.taken = taken
        self.steps = steps
        self.tools = tools
        self.snapshot = snapshot
        self.notReproducible = notReproducible
    }
}
