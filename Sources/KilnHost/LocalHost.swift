import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnStore

/// This host as the engine sees it: all adapters, fitted together.
///
/// It is not called `Host` because Foundation has a class of that name.
public struct LocalHost: Sendable {
    /// Where state is kept.
    public let state: StateDirectory
    /// Which hypervisor it is, and who said so.
    public let connection: HostConnection
    /// By what machines are executed, and why.
    public let acceleration: HostAcceleration
    /// Who runs machines.
    public let owner: MachineOwner
    /// The connection to the hypervisor.
    public let session: HypervisorSession
    /// Machines.
    public let machines: LibvirtMachines
    /// The inside of guests.
    public let guests: GuestWays
    /// Disk files.
    public let disks: QEMUDiskTool
    /// Seed disks.
    public let seeds: XorrisoSeedWriter
    /// Roots, from outside.
    public let roots: RootInspector
    /// The switches of labs' networks.
    public let networks: LocalNetworks
    /// What owns the published ports of servers whose clients are kept.
    public let fronts: LocalFronts
    /// The services that run beside the machines of scenarios.
    public let externals: LocalExternals

    /// Prepares the home.
    ///
    /// The hypervisor is reached at the first use of a machine, so what needs none works without.
    ///
    /// - Parameters:
    ///   - home: KILN_HOME; nothing means the place that the environment names.
    ///   - connect: the option `--connect`.
    ///   - lab: the URI in the lab file.
    ///   - executable: the path of the `kiln` program, which the private daemon's parent is made from.
    /// - Throws: `KilnError` with a code `connect.…`, `home.…`, `owner.…`, `alias.…` or `embed.…`.
    public static func open(
        home: String? = nil,
        connect: String? = nil,
        lab: String? = nil,
        executable: String
    ) async throws -> LocalHost {
        let connection = try HostConnection.resolve(option: connect, lab: lab)
        let home = KilnHome(path: try home ?? KilnHome.location(), owner: try MachineOwner.current())
        // Machines that root starts run as another user, who has to read what Kiln makes; secrets state their mode.
        if home.isForeign { umask(0o022) }
        let state = try home.prepared()
        if case .embedded(let root) = connection.kind { try EmbedRoot.prepare(root, owner: home.owner) }
        return LocalHost(connection, home, state, executable: executable)
    }

    private init(_ connection: HostConnection, _ home: KilnHome, _ state: StateDirectory, executable: String) {
        let daemon = SessionDaemon(home: home.path, owner: home.owner, executable: executable)
        let session = HypervisorSession {
            if case .embedded(let root) = connection.kind { try EmbedRoot.checkFree(root) }
            return if let uri = connection.uri { uri } else { try await daemon.ensureRunning() }
        }
        let foreign = home.isForeign ? home.owner : nil
        self.state = state
        self.connection = connection
        self.session = session
        owner = home.owner
        acceleration = HostAcceleration.detect(for: home.owner)
        machines = LibvirtMachines(
            session: session,
            platform: acceleration.platform,
            user: connection.user(owner: home.owner),
            owner: foreign,
            logs: connection.processLogs(home: state.root)
        )
        guests = GuestWays(
            agents: AgentGuests(session: session),
            ssh: SSHGuests { try GuestEntrance.of($0, in: state).route },
            entrance: { try GuestEntrance.of($0, in: state) }
        )
        disks = QEMUDiskTool(owner: foreign)
        seeds = XorrisoSeedWriter(home: home.path, owner: foreign)
        networks = LocalNetworks(state: state, owner: home.owner, executable: executable)
        fronts = LocalFronts(state: state, owner: home.owner, executable: executable)
        externals = LocalExternals(state: state, owner: home.owner)
        roots = RootInspector(scratch: state.roots, owner: foreign, executable: executable)
    }

    /// The engine's parts.
    ///
    /// - Parameters:
    ///   - images: the image store.
    ///   - progress: takes progress.
    public func engineParts(images: any ImageSource, progress: @escaping ProgressSink) -> EngineParts {
        EngineParts(
            machines: machines,
            guests: guests,
            disks: disks,
            seeds: seeds,
            images: images,
            roots: roots.telling(progress),
            holders: ProcHolderInspection(),
            network: LoopbackProbe(),
            ports: LoopbackPorts(),
            networks: networks,
            fronts: fronts,
            externals: externals,
            progress: progress
        )
    }

    /// Ends the connection to the hypervisor; machines go on.
    public func close() async {
        await session.close()
    }
}
