import Foundation
import KilnModel
import KilnSystem

/// Where Kiln keeps what it knows, and the paths in it.
///
/// ```
/// images/                                  the image store
/// volumes/LAB/VOLUME/                      lock, volume.json, layers
/// retained/LAB.VOLUME.TIME/                volumes after 'volume delete'; what a restore discarded
/// labs/LAB/lab.json, ports.json            the lab as last brought up; its published ports
/// labs/LAB/networks.json                   the addresses of its servers on its networks
/// labs/LAB/autopilot                       what its autopilot did; autopilot.lock while there is one
/// labs/LAB/NETWORK.switch-lock             held as long as the network's switch lives
/// labs/LAB/servers/SERVER/lock, journal
/// labs/LAB/servers/SERVER/front.json       who serves the ports that belong to its front, where it has one
/// labs/LAB/servers/SERVER/front.lock       held as long as somebody keeps that front
/// labs/LAB/servers/SERVER/generations/N/   generation.json, access.json, root.qcow2, seed.iso, console.log
/// labs/LAB/servers/SERVER/members/N/       lock, journal and generations of another member than the first
/// labs/LAB/servers/SERVER/rollout          the journal of what concerns all members; rollout.lock while somebody drives it
/// sockets/                                 consoles, agents, ledger ports, and both ends of cards on networks
/// daemon/                                  the private libvirt daemon
/// templates/KEY/                           template.json, and what clones begin with: memory, devices, root.qcow2
/// templates/KEY.making/                    the same while it is made; KEY.lock while somebody does so
/// ssh/                                     the key that opens the guests
/// roots/                                   copies of roots that are being looked at
/// scratch/                                 acknowledgements of the scenarios that run
/// runs/                                    which labs belong to runs of scenarios, and their locks
/// runs/LAB.external/NAME/                  a service of the host that a run has beside its machines; HASH.sockets for its socket
/// worlds/PID/                              the home of a run that breaks what belongs to the host
/// evidence/                                what failed runs left to look at
/// learn/lock, lessons.json                 what a trainee has come to
/// learn/LESSON/                            the files of the lesson that is begun, for him to work on
/// learn/.lessons/LESSON/                   the same as they were then
/// reports/LAB.ndjson                       what happened in a run of a scenario, also after its lab is gone
/// ```
public struct StateDirectory: Sendable, Hashable {
    /// The directory itself.
    public let root: String
    /// The same as `sockets/`, by a path short enough for a unix socket (107 bytes).
    public let sockets: String

    /// How the name of a server's directory begins while it is removed.
    static let forgotten = ".gone-"

    /// A state directory.
    public init(root: String, sockets: String) {
        self.root = root
        self.sockets = sockets
        (evidence, reports) = (Self.followed(root + "/evidence"), Self.followed(root + "/reports"))
    }

    // A home that goes with its run has links to those that stay, by whose paths they are found later.
    private static func followed(_ path: String) -> String {
        guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path), target.hasPrefix("/")
        else {
            return path
        }
        return target
    }

    /// The image store.
    public var images: String { root + "/images" }
    /// Evidence of failed runs.
    public let evidence: String
    /// What happened in runs.
    public let reports: String
    /// Copies of roots that are being looked at.
    public var roots: String { root + "/roots" }
    /// What a trainee has come to, and the files of his lesson.
    public var lessons: String { root + "/learn" }
    /// Runs of scenarios.
    public var runs: String { root + "/runs" }
    /// The external services of a run's lab; there only while they may be.
    public func externals(_ lab: Name) -> String { "\(runs)/\(lab).external" }
    /// One of them.
    public func external(_ id: ExternalID) -> String { "\(externals(id.lab))/\(id.name)" }
    /// The homes of runs that break what belongs to the host.
    var worlds: [StateDirectory] {
        let folder = root + "/worlds"
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return entries.filter { Int32($0) != nil }
            .map { StateDirectory(root: "\(folder)/\($0)", sockets: "\(folder)/\($0)/sockets") }
    }
    /// What clones are made from, by what they depend on.
    public var templates: String { root + "/templates" }
    /// All labs.
    public var labs: String { root + "/labs" }
    /// All volumes, by lab.
    public var volumes: String { root + "/volumes" }
    /// Volumes that were deleted but not removed.
    public var retained: String { root + "/retained" }

    /// Takes the lock of the list of labs, under which ports are chosen, too: everybody has it for moments only.
    ///
    /// - Throws: `lock.held`, naming who has it, after a while.
    func lockLabs(waiting: @Sendable (KilnError) -> Void = { _ in }) async throws -> FileLock {
        try await FileLock.whenFree(labs + "/lock", subject: "the list of labs", within: .seconds(30), waiting: waiting)
    }

    /// One lab.
    public func lab(_ name: Name) -> String { "\(labs)/\(name)" }
    /// The journal of a lab's autopilots.
    func autopilot(_ lab: Name) -> String { "\(self.lab(lab))/autopilot" }
    /// One server, which is also the place of its first member.
    public func server(_ id: ServerID) -> String { "\(lab(id.lab))/servers/\(id.server)" }
    /// One member of a server.
    public func member(_ id: MemberID) -> String {
        id.ordinal == 0 ? server(id.whole) : "\(members(id.whole))/\(id.ordinal)"
    }
    /// The other members of a server than the first.
    public func members(_ id: ServerID) -> String { server(id) + "/members" }
    /// The journal of the rollouts of a server.
    func rollout(_ id: ServerID) -> String { server(id) + "/rollout" }
    /// One volume.
    public func volume(lab: Name, _ name: Name) -> String { "\(volumes)/\(lab)/\(name)" }
    /// One generation.
    public func generation(_ id: MachineID) -> String { "\(member(id.member))/generations/\(id.generation)" }
    /// The ports by which a machine is reached where clients reach it by the front.
    func ownPorts(_ id: MachineID) -> String { generation(id) + "/ports.json" }
    /// How commands get into the guest of a generation.
    func access(_ id: MachineID) -> String { generation(id) + "/access.json" }
    /// The root overlay of a generation.
    public func rootOverlay(_ id: MachineID) -> String { generation(id) + "/root.qcow2" }
    /// The seed of a generation.
    public func seed(_ id: MachineID) -> String { generation(id) + "/seed.iso" }
    /// How the machine of a generation came to run, where it was to be a clone.
    func launch(_ id: MachineID) -> String { generation(id) + "/launch.json" }
    /// The console log of a generation.
    public func consoleLog(_ id: MachineID) -> String { generation(id) + "/console.log" }
    /// The console socket of a generation.
    public func consoleSocket(_ id: MachineID) -> String { socket(id, "console") }
    /// The guest agent's socket of a generation.
    public func agentSocket(_ id: MachineID) -> String { socket(id, "agent") }
    /// The ledger socket of a generation.
    public func ledgerSocket(_ id: MachineID) -> String { socket(id, "ledger") }

    /// The sockets of connections to a generation's SSH server, by user.
    func sshSockets(_ id: MachineID) -> [(String, String)] { GuestRoute.users.map { ($0, socket(id, "ssh-\($0)")) } }

    /// All sockets of a generation but those of its cards on networks.
    func sockets(of id: MachineID) -> [String] {
        [consoleSocket(id), agentSocket(id), ledgerSocket(id)] + sshSockets(id).map(\.1)
    }

    /// Who serves the ports of a server that belong to its front; there as long as it has one.
    public func frontPlan(_ id: ServerID) -> String { server(id) + "/front.json" }
    /// What is locked while it is decided who serves those ports.
    func frontChange(_ id: ServerID) -> String { server(id) + "/front.change" }
    /// What is locked as long as somebody keeps a server's front.
    public func frontLock(_ id: ServerID) -> String { server(id) + "/front.lock" }
    /// How the paths of what a server's front runs with begin.
    public func frontBase(_ id: ServerID) -> String { String(socket("\(id)", "front").dropLast(".front".count)) }
    /// The addresses of a lab's servers on its networks.
    public func networkBook(_ lab: Name) -> String { "\(self.lab(lab))/networks.json" }
    /// What is locked as long as a network's switch lives.
    public func switchLock(_ id: NetworkID) -> String { "\(lab(id.lab))/\(id.network).switch-lock" }
    /// The socket at which a network's switch is told what to do.
    public func switchSocket(_ id: NetworkID) -> String { socket("\(id)", "switch") }
    /// What a network's switch was told, which its successor begins with.
    public func switchTable(_ id: NetworkID) -> String { socket("\(id)", "table") }
    /// The machine's end of a card on a network.
    public func cardSocket(_ id: MachineID, on network: Name) -> String {
        socket("\(id.domainName)/\(network)", "card")
    }
    /// The switch's end of it.
    public func portSocket(_ id: MachineID, on network: Name) -> String {
        socket("\(id.domainName)/\(network)", "port")
    }

    private func socket(_ id: MachineID, _ kind: String) -> String { socket(id.domainName, kind) }

    // Of whatever length a name is, the path fits into the address of a socket.
    private func socket(_ name: String, _ kind: String) -> String {
        "\(sockets)/\(String(StableHash.fnv1a(name), radix: 16)).\(kind)"
    }
}
