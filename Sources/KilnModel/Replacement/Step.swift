/// One step of a replacement, forward or on the way back.
///
/// Every step can be repeated: doing it again after it was done, or half done, leads to the same state. Recovery rests
/// on that.
public enum Step: String, Sendable, Hashable, Codable, CaseIterable {
    /// Intent is written down; image, volumes and ports are checked.
    case plan
    /// Overlay, seed and domain of the new machine are made, without the volumes.
    case prepare
    /// Warm-first: the new machine is ready but for its data, while the old one serves.
    case warm
    /// Where clients are kept, the old machine gets no new ones and ends what it has begun; its `drain` hooks run.
    case drain
    /// The old machine is shut down.
    case stop
    /// The old machine is proved dead, and nothing holds its volumes.
    case proveOff = "prove-off"
    /// The volumes' active layers are sealed; new ones are put on top.
    case snapshot
    /// The volumes' leases pass to the new generation: the decision point between abort and revert.
    case handover
    /// The new machine is started: with the volumes, or, warm-first, before they are its own.
    case start
    /// Warm-first: the volumes are plugged into the new machine and mounted, and the `after-attach` hooks run.
    case attach
    /// The new machine is ready, clients reach it by the published ports, and it stays ready for `min-healthy`.
    case healthy
    /// What the user wants verified holds.
    case verify
    /// Point of no return: the old machine is given up. The layer that SNAPSHOT sealed stays, merged when there are many.
    case commit

    /// Way back: the new machine is switched off.
    case stopNew = "stop-new"
    /// Way back: the new machine is proved dead, and nothing holds the volumes.
    case proveNewOff = "prove-new-off"
    /// Way back: the volumes' leases return to the old generation.
    case handBack = "hand-back"
    /// Way back: the volumes are put back to what SNAPSHOT sealed, where that was wanted.
    case restoreData = "restore-data"
    /// Way back: the old machine is started, if it does not run.
    case startOld = "start-old"
    /// Way back: the old machine is ready.
    case oldHealthy = "old-healthy"
    /// Way back: what was made for the new machine is removed.
    case removeNew = "remove-new"

    /// The steps of the ways back.
    public static let wayBack: Set<Step> = [
        .stopNew, .proveNewOff, .handBack, .restoreData, .startOld, .oldHealthy, .removeNew,
    ]
}

/// Which way a replacement is going.
public enum Direction: String, Sendable, Hashable, Codable {
    /// From the old generation to the new.
    case forward
    /// Back, before the handover: the old generation was not touched, or is started again.
    case abort
    /// Back, after the handover.
    case revert
    /// Nowhere: the new machine is switched off, the old one stays off, and a person decides.
    case halt
}

/// How a replacement ended.
public enum Outcome: String, Sendable, Hashable, Codable {
    /// The new generation is the server.
    case committed
    /// Given up before the handover; the old generation serves on.
    case aborted
    /// Given up after the handover; the old generation serves again.
    case reverted
    /// Neither way was safe; both machines are off, nothing was deleted.
    case halted
}
