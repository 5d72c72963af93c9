import KilnModel

/// What the guest of a fake machine does; belongs to the image.
public struct GuestBehaviour: Sendable, Hashable {
    /// How it boots.
    public enum Boot: Sendable, Hashable {
        /// It is ready at once.
        case ready
        /// The agent never answers, which is found out at once.
        case silent
        /// The agent does not answer, for as long as it is waited for.
        case hangs
        /// cloud-init ends with an error.
        case cloudInitFails
        /// cloud-init ends degraded.
        case degraded
        /// The kernel panics on the console.
        case panics
        /// The kernel crashes by a fault of the emulation.
        case emulationFails
        /// It does so at its first boot, and is ready after the next.
        case emulationFailsOnce
        /// It switches itself off.
        case switchesOff
        /// A write error pauses it.
        case pauses
    }

    /// What it does when it is asked to shut down.
    public enum Shutdown: Sendable, Hashable {
        /// It shuts down at once.
        case obeys
        /// It runs on.
        case ignores
        /// It is off only after the patience has ended, when its state was looked at once more.
        case late
    }

    /// How it boots.
    public var boot: Boot
    /// How it shuts down.
    public var shutdown: Shutdown

    /// Whether it mounts its volumes.
    public var mounts: Bool
    /// Whether it formats its volumes as soon as it has them.
    public var formats: Bool

    /// How commands get into it; the console of one without an agent says when cloud-init has ended.
    public var way: GuestWay

    /// A behaviour from its parts.
    public init(
        _ boot: Boot = .ready,
        shutdown: Shutdown = .obeys,
        mounts: Bool = true,
        formats: Bool = false,
        way: GuestWay = .agent
    ) {
        self.boot = boot
        self.shutdown = shutdown
        self.mounts = mounts
        self.formats = formats
        self.way = way
    }

    /// What its console says first.
    var console: String {
        switch boot {
        case .panics: "[    2.104882] Kernel panic - not syncing: no init"
        case .emulationFails: "[    4.8] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI"
        default: "Welcome to the fake guest" + (way == .agent ? "" : "\nCloud-init v. 22.4.2 finished at noon")
        }
    }
}
