// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let guestAgentSilent = ErrorCode("guest.agent-silent", .deadline, "the guest's agent does not answer")
    public static let guestCommandDeadline = ErrorCode(
        "guest.command-deadline",
        .deadline,
        "a command in the guest was still running when its time was over"
    )
    public static let guestForbidden = ErrorCode(
        "guest.forbidden",
        .aborted,
        "the guest does not let its agent carry out what is needed"
    )
    public static let guestFrozen = ErrorCode(
        "guest.frozen",
        .halted,
        "the guest did not say that its file systems go on after a snapshot"
    )
    public static let guestHostKeyDiffers = ErrorCode(
        "guest.host-key-differs",
        .aborted,
        "the guest's SSH server shows another host key than the one that its machine was born with"
    )
    public static let guestSSHRefused = ErrorCode(
        "guest.ssh-refused",
        .aborted,
        "the guest's SSH server lets Kiln not in, or not become root"
    )
    public static let guestSSHSilent = ErrorCode(
        "guest.ssh-silent",
        .deadline,
        "the guest's SSH server does not answer"
    )
    public static let guestMachineOff = ErrorCode(
        "guest.machine-off",
        .blocked,
        "the machine is off, so its guest can't be reached"
    )
    public static let guestNoAgent = ErrorCode(
        "guest.no-agent",
        [.aborted, .deadline],
        "no agent runs in the guest, and there is no other way in yet: it boots, or its image has none"
    )
    public static let guestNoCommand = ErrorCode("guest.no-command", .usage, "there is no command to run in the guest")
    public static let guestNonsense = ErrorCode(
        "guest.nonsense",
        .internalError,
        "the guest's agent gives no sensible answer"
    )
    public static let guestRefused = ErrorCode(
        "guest.refused",
        [.aborted, .internalError, .usage],
        "the guest's agent says that it can't"
    )
    public static let guestResultLost = ErrorCode(
        "guest.result-lost",
        .aborted,
        "a command ran in the guest, and nobody can tell what came of it"
    )
    public static let guestTooLarge = ErrorCode(
        "guest.too-large",
        .usage,
        "an answer of the guest is larger than is taken"
    )
    public static let machineAbsent = ErrorCode("machine.absent", .internalError, "the machine is not defined")
    public static let machineAlive = ErrorCode("machine.alive", .blocked, "a machine that should be off is not")
    public static let machineLinkUnchanged = ErrorCode(
        "machine.link-unchanged",
        .internalError,
        "QEMU did not plug a machine's network in or out"
    )
    public static let machineForwardFailed = ErrorCode(
        "machine.forward-failed",
        .internalError,
        "QEMU refused to forward a port"
    )
    public static let machineLostPower = ErrorCode(
        "machine.lost-power",
        .aborted,
        "the machine was switched off before its file systems were written"
    )
    public static let machineNoConsoleLog = ErrorCode(
        "machine.no-console-log",
        .internalError,
        "the file for the machine's console can't be made"
    )
    public static let machineNoVolume = ErrorCode(
        "machine.no-volume",
        .internalError,
        "the machine has no disk for the volume"
    )
    public static let machineMonitorRefused = ErrorCode(
        "machine.monitor-refused",
        .aborted,
        "QEMU refused a command that a fault is made with"
    )
    public static let machineNotMoved = ErrorCode(
        "machine.not-moved",
        .internalError,
        "the machine did not move to another layer"
    )
    public static let machineNotOff = ErrorCode(
        "machine.not-off",
        [.blocked, .unreachable],
        "the machine can't be ended, or it is unknown whether it has ended"
    )
    public static let machinePaused = ErrorCode(
        "machine.paused",
        .blocked,
        "a machine that should run stands still, mostly for want of free space on the host"
    )
    public static let machineSeedKept = ErrorCode(
        "machine.seed-kept",
        .deadline,
        "the guest did not give up its seed disk"
    )
    public static let machineForeign = ErrorCode(
        "machine.foreign",
        .blocked,
        "the name of a machine is taken by a machine of another state directory"
    )
    public static let machineStuck = ErrorCode(
        "machine.stuck",
        .blocked,
        "the machine has a process, and can't be started"
    )
    public static let seedInvalidName = ErrorCode(
        "seed.invalid-name",
        .internalError,
        "a name can't be one of a file in a seed"
    )
    public static let seedKeyUnreadable = ErrorCode(
        "seed.key-unreadable",
        .internalError,
        "a key for a seed can't be read"
    )
    public static let seedNotWritten = ErrorCode("seed.not-written", .internalError, "a seed can't be written")

    /// The codes of errors about machines and what runs in them.
    public static let guests: [ErrorCode] = [
        guestAgentSilent, guestCommandDeadline, guestForbidden, guestFrozen, guestHostKeyDiffers, guestMachineOff,
        guestSSHRefused, guestSSHSilent, guestNoAgent,
        guestNoCommand, guestNonsense,
        guestRefused, guestResultLost, guestTooLarge, machineAbsent, machineAlive, machineForeign, machineForwardFailed,
        machineLinkUnchanged,
        machineLostPower, machineMonitorRefused,
        machineNoConsoleLog, machineNoVolume, machineNotMoved, machineNotOff, machinePaused, machineSeedKept,
        machineStuck,
        seedInvalidName, seedKeyUnreadable, seedNotWritten,
    ]
}
