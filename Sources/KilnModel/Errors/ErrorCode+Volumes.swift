// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let diskBeyondRepair = ErrorCode(
        "disk.beyond-repair",
        .unmet,
        "e2fsck could not repair the file system"
    )
    public static let diskBomb = ErrorCode(
        "disk.bomb",
        .invalidFile,
        "far more would come out of a packed disk than any root file system holds"
    )
    public static let diskExists = ErrorCode(
        "disk.exists",
        .aborted,
        "a disk is there already; none is ever overwritten"
    )
    public static let diskFull = ErrorCode("disk.full", .aborted, "there is no space left")
    public static let diskNoDirectory = ErrorCode(
        "disk.no-directory",
        .internalError,
        "a working directory can't be made"
    )
    public static let diskNoMarkRead = ErrorCode("disk.no-mark-read", .halted, "the mark of a volume can't be read")
    public static let diskNewerFeatures = ErrorCode(
        "disk.newer-features",
        [.unmet, .aborted, .invalidFile],
        "a file system is newer than the tools of this host"
    )
    public static let diskNotGrown = ErrorCode(
        "disk.not-grown",
        [.usage, .aborted],
        "a tool can't enlarge the file system"
    )
    public static let diskTooLarge = ErrorCode("disk.too-large", .usage, "a file system can't become that large")
    public static let diskNotExt4 = ErrorCode(
        "disk.not-ext4",
        .invalidFile,
        "a disk holds no sound ext4 file system at its start"
    )
    public static let diskNotMade = ErrorCode("disk.not-made", [.internalError, .aborted], "a disk can't be made")
    public static let diskNotSound = ErrorCode("disk.not-sound", .aborted, "a damaged file system can't be enlarged")
    public static let diskRefused = ErrorCode("disk.refused", .invalidFile, "a file is no disk that QEMU may open")
    public static let volumeAttached = ErrorCode("volume.attached", .blocked, "a machine that runs uses the volume")
    public static let volumeNewerMark = ErrorCode(
        "volume.newer-mark",
        .halted,
        "a later version of Kiln marked the volume"
    )
    public static let volumeReformatted = ErrorCode(
        "volume.reformatted",
        [.halted, .aborted, .reverted],
        "a guest has formatted the volume; what it held is kept"
    )
    public static let volumeDamaged = ErrorCode(
        "volume.damaged",
        [.halted, .aborted],
        "the volume's file system is damaged"
    )
    public static let volumeDiffers = ErrorCode(
        "volume.differs",
        .aborted,
        "the volume has another size or file system than the lab file says"
    )
    public static let volumeExists = ErrorCode("volume.exists", .aborted, "there is a volume of that name already")
    public static let volumeHeld = ErrorCode(
        "volume.held",
        .blocked,
        "a process holds the volume; the message names it"
    )
    public static let volumeLeased = ErrorCode(
        "volume.leased",
        [.blocked, .halted],
        "the volume belongs to another server or generation"
    )
    public static let volumeMissing = ErrorCode("volume.missing", [.usage, .aborted], "there is no such volume")
    public static let volumeNoLinks = ErrorCode(
        "volume.no-links",
        .aborted,
        "the file system below KILN_HOME has no hard links, of which clones are made"
    )
    public static let volumeNotLarger = ErrorCode("volume.not-larger", .usage, "a volume can only grow")
    public static let volumeNotMounted = ErrorCode(
        "volume.not-mounted",
        .aborted,
        "the guest could not mount or unmount its volumes"
    )
    public static let volumeSnapshotExists = ErrorCode(
        "volume.snapshot-exists",
        .aborted,
        "the volume has a snapshot of that name already"
    )
    public static let volumeSnapshotMissing = ErrorCode(
        "volume.snapshot-missing",
        .aborted,
        "the volume has no snapshot of that name"
    )
    public static let volumeTooManyLayers = ErrorCode(
        "volume.too-many-layers",
        .aborted,
        "the volume has as many layers as there may be"
    )
    public static let volumeUnconfirmed = ErrorCode(
        "volume.unconfirmed",
        .usage,
        "a question has to be answered and nobody can be asked"
    )
    public static let volumeUnknown = ErrorCode("volume.unknown", .usage, "the text names no volume")
    public static let volumeUnsettled = ErrorCode(
        "volume.unsettled",
        .halted,
        "it is unknown to which layer a machine writes"
    )
    public static let diskUnreadable = ErrorCode("disk.unreadable", .aborted, "the content of a disk can't be read")
    public static let volumeNewerFeatures = ErrorCode(
        "volume.newer-features",
        .halted,
        "an unclean volume is newer than the tools of this host"
    )

    /// The codes of errors about volumes and disks.
    public static let volumes: [ErrorCode] = [
        diskUnreadable, volumeNewerFeatures,
        diskBeyondRepair, diskBomb, diskExists, diskFull, diskNewerFeatures, diskNoDirectory, diskNoMarkRead,
        diskNotExt4,
        diskNotGrown, diskNotMade, diskNotSound, diskRefused, diskTooLarge, volumeNewerMark, volumeReformatted,
        volumeAttached, volumeDamaged, volumeDiffers, volumeExists, volumeHeld, volumeLeased,
        volumeMissing, volumeNoLinks, volumeNotLarger, volumeNotMounted, volumeSnapshotExists, volumeSnapshotMissing,
        volumeTooManyLayers, volumeUnconfirmed, volumeUnknown, volumeUnsettled,
    ]
}
