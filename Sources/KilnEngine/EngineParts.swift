import KilnModel
import KilnStore
import KilnSystem

/// Everything outside that the engine works with.
public struct EngineParts: Sendable {
    /// Machines.
    public let machines: any MachineControl
    /// The inside of guests.
    public let guests: any GuestAccess
    /// Disk files.
    public let disks: any DiskTool
    /// Seed disks.
    public let seeds: any SeedWriter
    /// Images.
    public let images: any ImageSource
    /// Roots, from outside.
    public let roots: any RootInspection
    /// Who holds which file.
    public let holders: any HolderInspection
    /// Published ports, from the client's side.
    public let network: any NetworkProbe
    /// Published ports, from the host's side.
    public let ports: any HostPorts
    /// The switches of labs' networks.
    public let networks: any NetworkControl
    /// What owns the published ports of servers whose clients are kept.
    public let fronts: any FrontControl
    /// The services that run beside the machines of a scenario.
    public let externals: any ExternalControl
    /// Is told of the moments of steps, and waited for.
    public internal(set) var moments: any StepMoments
    /// How much memory the host has left for machines; nothing where that can't be told.
    public let freeMemory: @Sendable () -> ByteCount?
    /// Where progress goes.
    public let progress: ProgressSink
    /// How long a process that has ended for the hypervisor may still be on its way out and hold its files.
    public let releaseWithin: Duration
    /// How long an agent may still take to connect after the console has said that cloud-init ended.
    public let agentGrace: Duration
    /// After which time what a guest wrote is on its disks, though nobody asked it to write.
    ///
    /// Linux's defaults: a page may be dirty for 30 s, and every 5 s the kernel looks for those that were for longer
    /// (`vm.dirty_expire_centisecs` and `vm.dirty_writeback_centisecs`). ext4 commits every 5 s, and the writing takes its time.
    /// https://docs.kernel.org/admin-guide/sysctl/vm.html
    public let writeBack = Duration.seconds(30 + 5 + 5 + 5)

    /// Parts that fit together.
    public init(
        machines: any MachineControl,
        guests: any GuestAccess,
        disks: any DiskTool,
        seeds: any SeedWriter,
        images: any ImageSource,
        roots: any RootInspection,
        holders: any HolderInspection,
        network: any NetworkProbe,
        ports: any HostPorts,
        networks: any NetworkControl,
        fronts: any FrontControl,
        externals: any ExternalControl,
        moments: any StepMoments = FailpointMoments(),
        freeMemory: @escaping @Sendable () -> ByteCount? = HostMemory.available,
        progress: @escaping ProgressSink,
        releaseWithin: Duration = .seconds(10),
        agentGrace: Duration = .seconds(10)
    ) {
        self.machines = machines
        self.guests = guests
        self.disks = disks
        self.seeds = seeds
        self.images = images
        self.roots = roots
        self.holders = holders
        self.network = network
        self.ports = ports
        self.networks = networks
        self.fronts = fronts
        self.externals = externals
        self.moments = moments
        self.freeMemory = freeMemory
        self.progress = progress
        self.releaseWithin = releaseWithin
        self.agentGrace = agentGrace
    }
}
