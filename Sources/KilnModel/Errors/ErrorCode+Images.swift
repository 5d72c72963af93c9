// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let bakeAttributesLost = ErrorCode(
        "bake.attributes-lost",
        .aborted,
        "the file system that is baked on can't keep what files have"
    )
    public static let bakeIncomplete = ErrorCode(
        "bake.incomplete",
        .aborted,
        "no step of a recipe made a kernel or an initrd"
    )
    public static let bakeNoKeyring = ErrorCode(
        "bake.no-keyring",
        .aborted,
        "there are no keys to check a mirror's signature with"
    )
    public static let bakeNoMirror = ErrorCode(
        "bake.no-mirror",
        [.aborted, .usage],
        "no mirror of Debian is known, or only a part of what is needed"
    )
    public static let bakeNotFetched = ErrorCode(
        "bake.not-fetched",
        .aborted,
        "mmdebstrap could not make a tree of the suite and its packages"
    )
    public static let bakeFilesTooLarge = ErrorCode(
        "bake.files-too-large",
        .aborted,
        "the files of a step are more than are put into a machine"
    )
    public static let bakeNetworkNeeded = ErrorCode(
        "bake.network-needed",
        .aborted,
        "a step may not use the network, and the machine of a bake is not reached without it"
    )
    public static let bakeNoMachine = ErrorCode(
        "bake.no-machine",
        .aborted,
        "the machine that a bake is to work in did not become ready"
    )
    public static let bakeNotCleaned = ErrorCode(
        "bake.not-cleaned",
        .aborted,
        "the machine of a bake could not be cleaned of what every machine must have of its own"
    )
    public static let bakeModulesChanged = ErrorCode(
        "bake.modules-changed",
        .aborted,
        "a step changed the kernel's modules, but not the kernel"
    )
    public static let bakeNotRepeatable = ErrorCode(
        "bake.not-repeatable",
        .aborted,
        "a second run of a configuration tool changed something"
    )
    public static let bakeNothingKept = ErrorCode(
        "bake.nothing-kept",
        .usage,
        "no tree of a bake that failed is kept, or it did not get so far"
    )
    public static let bakeRoomRefused = ErrorCode(
        "bake.room-refused",
        .aborted,
        "the host does not let a bake have namespaces of its own"
    )
    public static let bakeStepDeadline = ErrorCode(
        "bake.step-deadline",
        .deadline,
        "a program of a step of a bake took longer than the step may"
    )
    public static let bakeStepFailed = ErrorCode("bake.step-failed", .aborted, "a program of a step of a bake failed")
    public static let imageArchiveRefused = ErrorCode(
        "image.archive-refused",
        .invalidFile,
        "the file is no image that was exported, or was changed since"
    )
    public static let imageChannelMissing = ErrorCode(
        "image.channel-missing",
        .invalidFile,
        "the channel points to no image"
    )
    public static let bakeTreeRefused = ErrorCode(
        "bake.tree-refused",
        .aborted,
        "the tree of an image has a link or another thing where a file or a folder belongs"
    )
    public static let bakeTreeUnreadable = ErrorCode(
        "bake.tree-unreadable",
        .aborted,
        "the tree of an image, or its archive, holds what no root file system can"
    )
    public static let imageCheckFailed = ErrorCode(
        "image.check-failed",
        .invalidFile,
        "qemu-img finds the file damaged"
    )
    public static let imageDigestMismatch = ErrorCode(
        "image.digest-mismatch",
        .unmet,
        "the content of an image was changed"
    )
    public static let imageExists = ErrorCode(
        "image.exists",
        [.usage, .invalidFile],
        "the store has an image of that name and version, or the same disk, already"
    )
    public static let imageFileMissing = ErrorCode("image.file-missing", .unmet, "an image has lost a file")
    public static let imageInUse = ErrorCode(
        "image.in-use",
        .blocked,
        "servers stand on the image, or a channel points to it"
    )
    public static let imageManifestDamaged = ErrorCode(
        "image.manifest-damaged",
        .internalError,
        "the manifest of an image can't be read"
    )
    public static let imageMissing = ErrorCode("image.missing", .invalidFile, "the store has no such image")
    public static let imageNoVolatileRoot = ErrorCode(
        "image.no-volatile-root",
        .aborted,
        "the image can't run with a volatile root"
    )
    public static let imageNotAttested = ErrorCode(
        "image.not-attested",
        .aborted,
        "the image has to have passed its tests, and has not"
    )
    public static let imageNotRevoked = ErrorCode(
        "image.not-revoked",
        .usage,
        "there is no revocation that could be taken back"
    )
    public static let imageReasonInvalid = ErrorCode(
        "image.reason-invalid",
        .usage,
        "an image is revoked for no reason, or for one that is too long"
    )
    public static let imageReferenceInvalid = ErrorCode(
        "image.reference-invalid",
        [.usage, .invalidFile],
        "the text is no reference to an image"
    )
    public static let imageRefusedBackingFile = ErrorCode(
        "image.refused.backing-file",
        .invalidFile,
        "the disk needs another file below it"
    )
    public static let imageRefusedDataFile = ErrorCode(
        "image.refused.data-file",
        .invalidFile,
        "the disk's content lies in another file"
    )
    public static let imageRefusedEncrypted = ErrorCode(
        "image.refused.encrypted",
        .invalidFile,
        "the disk is encrypted"
    )
    public static let imageRefusedGeometry = ErrorCode(
        "image.refused.geometry",
        .invalidFile,
        "the disk's sizes or offsets can't be right"
    )
    public static let imageRefusedOtherFormat = ErrorCode(
        "image.refused.other-format",
        .invalidFile,
        "the file is no qcow2 file"
    )
    public static let imageRefusedSnapshots = ErrorCode(
        "image.refused.snapshots",
        .invalidFile,
        "the disk holds snapshots"
    )
    public static let imageRefusedTooLarge = ErrorCode(
        "image.refused.too-large",
        .invalidFile,
        "the disk is larger than Kiln accepts"
    )
    public static let imageRefusedTooShort = ErrorCode(
        "image.refused.too-short",
        .invalidFile,
        "the file ends within its header"
    )
    public static let imageRefusedUnclean = ErrorCode(
        "image.refused.unclean",
        .invalidFile,
        "the disk is marked dirty or corrupt"
    )
    public static let imageRefusedUnknownFeature = ErrorCode(
        "image.refused.unknown-feature",
        .invalidFile,
        "the disk uses a feature that Kiln does not know"
    )
    public static let imageRefusedVersion = ErrorCode(
        "image.refused.version",
        .invalidFile,
        "the file has a version of qcow2 other than 2 and 3"
    )
    public static let imageRevoked = ErrorCode("image.revoked", .aborted, "the image is revoked")
    public static let imageUsersUnknown = ErrorCode(
        "image.users-unknown",
        .blocked,
        "it can't be told whether a server stands on the image"
    )
    public static let imageVersionInvalid = ErrorCode("image.version-invalid", .usage, "the text is no version")
    public static let imageConfigurationUntested = ErrorCode(
        "image.configuration-untested",
        .aborted,
        "the configuration of a server has to have passed with the image, and has not"
    )
    public static let imageBootsByLabel = ErrorCode(
        "image.boots-by-label",
        .aborted,
        "an image boots by a label or a UUID that a volume may have, too"
    )
    public static let checksumAmbiguous = ErrorCode(
        "checksum.ambiguous",
        .invalidFile,
        "a list has different checksums of files of that name"
    )
    public static let checksumInvalid = ErrorCode(
        "checksum.invalid",
        .usage,
        "the text is no checksum by the function that is named"
    )
    public static let checksumMismatch = ErrorCode(
        "checksum.mismatch",
        .invalidFile,
        "a file from outside is not what its publisher's checksum says"
    )
    public static let checksumMissing = ErrorCode(
        "checksum.missing",
        .invalidFile,
        "a list of checksums has none for the file"
    )
    public static let checksumRequired = ErrorCode(
        "checksum.required",
        .usage,
        "nothing says what a download has to be, so it would prove nothing"
    )
    public static let downloadFailed = ErrorCode(
        "download.failed",
        .aborted,
        "a download broke off, or its server can't be reached"
    )
    public static let downloadMissing = ErrorCode(
        "download.missing",
        .aborted,
        "what is asked for offline was not downloaded before"
    )
    public static let downloadRedirected = ErrorCode(
        "download.redirected",
        .aborted,
        "a server leads to an address that is not downloaded from"
    )
    public static let downloadRefused = ErrorCode(
        "download.refused",
        .aborted,
        "a server does not send the file; the message has its status"
    )
    public static let downloadStalled = ErrorCode(
        "download.stalled",
        .deadline,
        "a server sends next to nothing, or can't be connected to in time"
    )
    public static let downloadTooLarge = ErrorCode(
        "download.too-large",
        .aborted,
        "a server sends more than is downloaded"
    )
    public static let downloadURLRefused = ErrorCode(
        "download.url-refused",
        .usage,
        "the text is no address that is downloaded from"
    )
    public static let imageNoFirmware = ErrorCode(
        "image.no-firmware",
        .invalidFile,
        "a disk has nothing that a BIOS or UEFI could start"
    )
    public static let imageNotUnpacked = ErrorCode(
        "image.not-unpacked",
        .invalidFile,
        "a packed file is damaged or cut off"
    )
    public static let imageWrongFirmware = ErrorCode(
        "image.wrong-firmware",
        .invalidFile,
        "a disk has nothing for the firmware that is asked for"
    )
    public static let imageNoWayIn = ErrorCode(
        "image.no-way-in",
        .aborted,
        "machines of the image have no way in that the server needs: no guest agent, or neither that nor an SSH server"
    )
    public static let imageGrowsNoDisk = ErrorCode(
        "image.grows-no-disk",
        .aborted,
        "a server declares a larger disk than its image has, and nothing in the image would use the rest"
    )
    public static let imageLargerThanDisk = ErrorCode(
        "image.larger-than-disk",
        .aborted,
        "the disk that a server declares is smaller than its image"
    )

    /// The codes of errors about images, the store and bakes.
    public static let images: [ErrorCode] = [
        checksumAmbiguous, checksumInvalid, checksumMismatch, checksumMissing, checksumRequired, downloadFailed,
        downloadMissing, downloadRedirected, downloadRefused, downloadStalled, downloadTooLarge, downloadURLRefused,
        imageGrowsNoDisk, imageLargerThanDisk, imageNoFirmware, imageNoWayIn, imageNotUnpacked, imageWrongFirmware,
        imageBootsByLabel,
        bakeAttributesLost, bakeIncomplete, bakeModulesChanged, bakeFilesTooLarge, bakeNetworkNeeded, bakeNoMachine,
        bakeNotCleaned, bakeNotRepeatable, bakeNoKeyring, bakeNoMirror, bakeNotFetched, bakeNothingKept,
        bakeRoomRefused, bakeStepDeadline, bakeStepFailed, bakeTreeRefused, bakeTreeUnreadable, imageArchiveRefused,
        imageChannelMissing, imageCheckFailed, imageConfigurationUntested, imageDigestMismatch, imageExists,
        imageFileMissing, imageInUse,
        imageManifestDamaged, imageMissing, imageNoVolatileRoot, imageNotAttested, imageNotRevoked,
        imageReasonInvalid, imageReferenceInvalid,
        imageRefusedBackingFile, imageRefusedDataFile, imageRefusedEncrypted, imageRefusedGeometry,
        imageRefusedOtherFormat, imageRefusedSnapshots, imageRefusedTooLarge, imageRefusedTooShort,
        imageRefusedUnclean, imageRefusedUnknownFeature, imageRefusedVersion, imageRevoked, imageUsersUnknown,
        imageVersionInvalid,
    ]
}
