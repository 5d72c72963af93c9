import KilnModel

/// What the engine has recorded that may tell how records were lost.
public struct LedgerFacts: Sendable, Hashable {
    /// A return of the volume to a snapshot; times count from the start of the run.
    public struct Restoration: Sendable, Hashable {
        /// The snapshot.
        public let snapshot: Name
        /// When the snapshot was taken; nothing where that was before the run, or nobody knows.
        public let taken: Duration?
        /// When the volume returned to it; nothing where nobody knows.
        public let restored: Duration?
        /// What the discarded state is called among the retained volumes, where that is known.
        public let kept: String?

        /// A return from its parts.
        public init(snapshot: Name, taken: Duration? = nil, restored: Duration? = nil, kept: String? = nil) {
            self.snapshot = snapshot
            self.taken = taken
            self.restored = restored
            self.kept = kept
        }
    }

    /// A file that a machine wrote to its root where its volume hides it.
    public struct HiddenFile: Sendable, Hashable {
        /// The machine.
        public let machine: MachineID
        /// The file.
        public let path: RootPath

        /// A file from its parts.
        public init(machine: MachineID, path: RootPath) {
            self.machine = machine
            self.path = path
        }
    }

    /// The ledger's file in the guest; nothing for one that only a service knows.
    public let file: String?
    /// The volume on which the records were written.
    public let written: VolumeID?
    /// The volume from which they were read.
    public let read: VolumeID?
    /// The snapshot from before a guest formatted the volume; nothing where none did.
    public let reformatted: Name?
    /// The returns of the volume to snapshots, oldest first.
    public let restorations: [Restoration]
    /// What machines wrote below the volume's mount point.
    public let hidden: [HiddenFile]

    /// Facts from their parts.
    public init(
        file: String? = nil,
        written: VolumeID? = nil,
        read: VolumeID? = nil,
        reformatted: Name? = nil,
        restorations: [Restoration] = [],
        hidden: [HiddenFile] = []
    ) {
        self.file = file
        self.written = written
        self.read = read
        self.reformatted = reformatted
        self.restorations = restorations
        self.hidden = hidden
    }
}
