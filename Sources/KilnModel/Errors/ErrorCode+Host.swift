// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let connectRefused = ErrorCode("connect.refused", .usage, "the URI of a hypervisor is not acceptable")
    public static let daemonDeadline = ErrorCode(
        "daemon.deadline",
        [.deadline, .unreachable],
        "the private libvirt daemon was not ready in time"
    )
    public static let daemonHomeUnreachable = ErrorCode(
        "daemon.home-unreachable",
        .unreachable,
        "the user who runs machines can't use the daemon's directory"
    )
    public static let daemonHomeUnusable = ErrorCode(
        "daemon.home-unusable",
        .unreachable,
        "the daemon's directory can't be made"
    )
    public static let daemonImpostor = ErrorCode(
        "daemon.impostor",
        .blocked,
        "somebody else listens at the daemon's socket"
    )
    public static let daemonLock = ErrorCode(
        "daemon.lock",
        .unreachable,
        "the lock file of the daemon's start can't be used"
    )
    public static let daemonLibvirtdMissing = ErrorCode(
        "daemon.libvirtd-missing",
        .unreachable,
        "libvirtd is not installed"
    )
    public static let daemonStartFailed = ErrorCode(
        "daemon.start-failed",
        [.internalError, .unreachable],
        "the private libvirt daemon did not start"
    )
    public static let daemonUnreachable = ErrorCode(
        "daemon.unreachable",
        .unreachable,
        "the daemon's socket can't be connected to"
    )
    public static let embedBusy = ErrorCode("embed.busy", .blocked, "another process uses the embedded libvirt")
    public static let embedNotStarted = ErrorCode(
        "embed.not-started",
        .internalError,
        "the process for the embedded libvirt failed"
    )
    public static let embedRootClosed = ErrorCode(
        "embed.root-closed",
        .unreachable,
        "the user who runs machines can't pass through to the embedded libvirt's root"
    )
    public static let embedRootTooLong = ErrorCode(
        "embed.root-too-long",
        .usage,
        "the path of the embedded libvirt's root is too long for sockets"
    )
    public static let embedRootUnusable = ErrorCode(
        "embed.root-unusable",
        .unreachable,
        "the embedded libvirt's root can't be used"
    )
    public static let embedUserMissing = ErrorCode(
        "embed.user-missing",
        .unreachable,
        "the user without whom libvirt does not start as root does not exist"
    )
    public static let externalDeadline = ErrorCode(
        "external.deadline",
        .deadline,
        "an external service of a run did not start or end in time"
    )
    public static let externalFailed = ErrorCode(
        "external.failed",
        .aborted,
        "an external service of a run can't be started, or has ended by itself"
    )
    public static let externalMissing = ErrorCode(
        "external.missing",
        .unreachable,
        "the program of an external service of a run is not installed"
    )
    public static let fileDigest = ErrorCode("file.digest", .internalError, "a sha256 is not 32 bytes")
    public static let fileNotRegular = ErrorCode("file.not-regular", .invalidFile, "a path is no regular file")
    public static let fileTooLarge = ErrorCode("file.too-large", .usage, "a file is larger than is read at once")
    public static let fileUnreadable = ErrorCode("file.unreadable", [.usage, .internalError], "a file can't be read")
    public static let fileUnwritable = ErrorCode(
        "file.unwritable",
        [.aborted, .usage, .internalError],
        "a file can't be written"
    )
    public static let holdersUnreadable = ErrorCode(
        "holders.unreadable",
        .internalError,
        "it can't be found out who holds a file"
    )
    public static let hostNoPipe = ErrorCode("host.no-pipe", .internalError, "no pipe can be made")
    public static let hypervisorDeadline = ErrorCode("hypervisor.deadline", .deadline, "libvirt did not finish in time")
    public static let hypervisorDocument = ErrorCode(
        "hypervisor.document",
        .internalError,
        "a libvirt document is impossible"
    )
    public static let hypervisorFailed = ErrorCode("hypervisor.failed", .internalError, "libvirt failed")
    public static let hypervisorUnreadable = ErrorCode(
        "hypervisor.unreadable",
        .unreachable,
        "libvirt does not tell the state of a machine; nothing is decided"
    )
    public static let hypervisorUnreachable = ErrorCode(
        "hypervisor.unreachable",
        .unreachable,
        "the hypervisor can't be reached; nothing is known of what happened"
    )
    public static let toolDeadline = ErrorCode(
        "tool.deadline",
        .deadline,
        "an outside program took too long and was killed"
    )
    public static let toolFailed = ErrorCode("tool.failed", .internalError, "an outside program failed")
    public static let toolMissing = ErrorCode("tool.missing", .internalError, "an outside program is not installed")
    public static let machineNoProcessorModel = ErrorCode(
        "machine.no-processor-model",
        .aborted,
        "the hypervisor knows no such processor model"
    )

    /// The codes of errors about the hypervisor, its daemon and outside programs.
    public static let host: [ErrorCode] = [
        machineNoProcessorModel,
        connectRefused, daemonDeadline, daemonHomeUnreachable, daemonHomeUnusable, daemonImpostor, daemonLock,
        daemonLibvirtdMissing, daemonStartFailed, daemonUnreachable, embedBusy, embedNotStarted,
        embedRootClosed, embedRootTooLong, embedRootUnusable, embedUserMissing, externalDeadline,
        externalFailed, externalMissing, fileDigest, fileNotRegular,
        fileTooLarge,
        fileUnreadable, fileUnwritable, holdersUnreadable, hostNoPipe, hypervisorDeadline, hypervisorDocument,
        hypervisorFailed, hypervisorUnreadable, hypervisorUnreachable, toolDeadline, toolFailed, toolMissing,
    ]
}
