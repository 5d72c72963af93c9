// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let generationMissing = ErrorCode(
        "generation.missing",
        .usage,
        "the server never had such a generation"
    )
    public static let labLockDamaged = ErrorCode("lab.lock-damaged", .invalidFile, "the lock of a file can't be read")
    public static let labLockMissing = ErrorCode("lab.lock-missing", .invalidFile, "a file has no lock beside it")
    public static let labLockStale = ErrorCode(
        "lab.lock-stale",
        .invalidFile,
        "the lock is of other images than the file names"
    )
    public static let labMissing = ErrorCode("lab.missing", .usage, "there is no lab of that name")
    public static let labNeedsRun = ErrorCode(
        "lab.needs-run",
        .usage,
        "a file has external services, which only a run of its scenario starts"
    )
    public static let labNoFile = ErrorCode("lab.no-file", .usage, "there is no lab file here")
    public static let labNoHeal = ErrorCode(
        "lab.no-heal",
        .usage,
        "no server of the lab declares 'heal' or 'autoscale'"
    )
    public static let labNoMemory = ErrorCode(
        "lab.no-memory",
        .blocked,
        "the host has less memory than the members that are to be started need"
    )
    public static let serverAmbiguous = ErrorCode("server.ambiguous", .usage, "several labs have a server of that name")
    public static let serverMissing = ErrorCode("server.missing", .usage, "the lab has no server of that name")
    public static let serverNotLaunched = ErrorCode("server.not-launched", .blocked, "the server has no machine yet")
    public static let serverNotReplicated = ErrorCode(
        "server.not-replicated",
        [.usage, .blocked],
        "the server can't have several members yet"
    )
    public static let serverReplicas = ErrorCode(
        "server.replicas",
        .usage,
        "no server can have so many members, or this one can't by its 'autoscale'"
    )
    public static let serverSeveral = ErrorCode(
        "server.several",
        .usage,
        "a command for one member names a server with several"
    )
    public static let portNoneFree = ErrorCode("port.none-free", .blocked, "no port of 127.0.0.1 is free for a server")
    public static let portPrivileged = ErrorCode(
        "port.privileged",
        .usage,
        "the machines' user may not listen on a port as low as that"
    )
    public static let portTaken = ErrorCode("port.taken", .blocked, "something else listens on the port")

    /// The codes of errors about labs, servers and generations.
    public static let labs: [ErrorCode] = [
        generationMissing, labLockDamaged, labLockMissing, labLockStale, labMissing, labNeedsRun,
        labNoFile, labNoHeal, labNoMemory, serverAmbiguous, serverMissing, serverNotLaunched, serverNotReplicated,
        serverReplicas,
        serverSeveral,
        portNoneFree, portPrivileged, portTaken,
    ]
}
