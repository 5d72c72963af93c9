// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let usage = ErrorCode("usage", .usage, "the command line was not understood")
    public static let deadline = ErrorCode(
        "deadline",
        .deadline,
        "the time that --timeout gives was over; the work was cancelled"
    )
    public static let interrupted = ErrorCode(
        "interrupted",
        .interrupted,
        "the user interrupted the command; the next changing command finishes or rolls back"
    )
    public static let internalFault = ErrorCode(
        "internal",
        .internalError,
        "an unforeseen error: a fault of Kiln's own"
    )
    public static let consoleUnreachable = ErrorCode(
        "console.unreachable",
        .usage,
        "the console of a machine can't be connected to"
    )
    public static let cpFailed = ErrorCode(
        "cp.failed",
        .usage,
        "a file on this side of a copy can't be read or written"
    )
    public static let cpGuestFailed = ErrorCode("cp.guest-failed", .aborted, "the guest can't pack or unpack a folder")
    public static let cpHostile = ErrorCode(
        "cp.hostile",
        .aborted,
        "the guest's archive of a folder is damaged, or holds what must not be unpacked"
    )
    public static let cpMissing = ErrorCode("cp.missing", .usage, "the guest has no such file")
    public static let cpOddFiles = ErrorCode(
        "cp.odd-files",
        .usage,
        "a folder holds devices, sockets or FIFOs, which are not copied"
    )
    public static let cpTaken = ErrorCode(
        "cp.taken",
        .usage,
        "there is something already where a folder is to be copied"
    )
    public static let initExists = ErrorCode("init.exists", .usage, "the file that 'init' would write exists already")
    public static let initFailed = ErrorCode("init.failed", .usage, "the file that 'init' would write can't be written")
    public static let inputTooLarge = ErrorCode(
        "input.too-large",
        .usage,
        "standard input holds more than a guest is given"
    )
    public static let learnImagesMissing = ErrorCode(
        "learn.images-missing",
        .aborted,
        "the store lacks images that a lesson needs; nothing of it was begun"
    )
    public static let learnLabBusy = ErrorCode(
        "learn.lab-busy",
        .blocked,
        "a server of the lesson's lab is being replaced, so its task can't be judged"
    )
    public static let learnLabGone = ErrorCode(
        "learn.lab-gone",
        .blocked,
        "the lab of the lesson, or one of its servers, is not there any more"
    )
    public static let learnLabTaken = ErrorCode(
        "learn.lab-taken",
        .blocked,
        "there is a lab of the lesson's name, or a volume of one, that is no lesson's"
    )
    public static let learnMemory = ErrorCode(
        "learn.memory",
        .aborted,
        "the host has too little free memory for a lesson; nothing of it was begun"
    )
    public static let learnNone = ErrorCode("learn.none", .usage, "no lesson is begun")
    public static let learnNotDone = ErrorCode(
        "learn.not-done",
        .unmet,
        "the next task was asked for before the present one was found done"
    )
    public static let learnNotReady = ErrorCode(
        "learn.not-ready",
        .blocked,
        "the making of a lesson's setting broke off"
    )
    public static let learnOther = ErrorCode("learn.other", .usage, "another lesson is begun and not done")
    public static let learnSettingFailed = ErrorCode(
        "learn.setting-failed",
        .aborted,
        "what a lesson begins with could not be made"
    )
    public static let learnSolutionFailed = ErrorCode(
        "learn.solution-failed",
        .aborted,
        "a part of a task's solution did not end as the lesson says"
    )
    public static let logsMissing = ErrorCode("logs.missing", .usage, "there is no log yet")
    public static let logsNone = ErrorCode(
        "logs.none",
        .usage,
        "this hypervisor runs no process that would write a log"
    )
    public static let outputNotWritten = ErrorCode(
        "output.not-written",
        .usage,
        "standard output took not all that a command wrote; what the command did is done"
    )
    public static let reportMissing = ErrorCode(
        "report.missing",
        .usage,
        "there is no run and no server of that name to report on"
    )
    public static let reportNotWritable = ErrorCode(
        "report.not-writable",
        .usage,
        "the file for a report can't be written"
    )
    public static let searchNotFound = ErrorCode(
        "search.not-found",
        .usage,
        "no folder that is searched holds a recipe or scenario of that name"
    )
    public static let searchUnreadable = ErrorCode(
        "search.unreadable",
        .usage,
        "a folder in which recipes or scenarios are searched can't be read"
    )
    public static let sshKnownHosts = ErrorCode(
        "ssh.known-hosts",
        .internalError,
        "the file of known hosts can't be written"
    )
    public static let sshMissing = ErrorCode("ssh.missing", .internalError, "the program ssh can't be run")
    public static let sshNoHostKey = ErrorCode("ssh.no-host-key", .usage, "the server's image has no SSH server")
    public static let sshNoPort = ErrorCode("ssh.no-port", .usage, "the server publishes no port named 'ssh'")

    /// The codes of errors about the command line and kiln itself.
    public static let commands: [ErrorCode] = [
        usage, deadline, interrupted, internalFault, consoleUnreachable, cpFailed, cpGuestFailed, cpHostile, cpMissing,
        cpOddFiles, cpTaken, initExists, initFailed, inputTooLarge, learnImagesMissing, learnLabBusy, learnLabGone,
        learnLabTaken,
        learnMemory, learnNone, learnNotDone, learnNotReady, learnOther, learnSettingFailed, learnSolutionFailed,
        logsMissing, logsNone, outputNotWritten, reportMissing, reportNotWritable, searchNotFound,
        searchUnreadable, sshKnownHosts, sshMissing, sshNoHostKey, sshNoPort,
    ]
}
