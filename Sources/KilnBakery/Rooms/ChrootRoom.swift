import Foundation
import KilnModel
import KilnSystem
import Synchronization

/// A room in a folder: namespaces of its own for mounts, processes, the host's name and, unless a step asks for it, the network.
///
/// The folder is the root of its mounts, and no other is there. No path leads to the host's files, not even by another process, unless
/// a container refuses a plain user's room a /proc of its own: then those of that user are reached by it. Nor where this host's root
/// is one that no mount can take the place of, as while it runs from an initramfs: that is said in each step.
/// Works as root, and as a user with subordinate ids. Devices are bound, not made; services can't start; what a program
/// leaves running dies with it, and is named. Nothing that the room brings along stays in the tree.
final class ChrootRoom: BuildRoom {
    /// The tree.
    let root: String
    /// The step's files, which it can only read.
    private let recipe: String
    private let variables: [String: String]
    private let log: BakeLog
    private let lent = Mutex<[Loan]>([])

    private struct Loan: Sendable {
        let folder: String
        let name: String
    }

    /// A room for one step.
    init(root: String, recipe: String, variables: [String: String], log: BakeLog) {
        self.root = root
        self.recipe = recipe
        self.variables = variables
        self.log = log
    }

    func lend(_ folder: String, as name: String) {
        lent.withLock { $0.append(Loan(folder: folder, name: name)) }
    }

    func read(_ path: String, limit: Int) throws -> [UInt8]? {
        let place = URL(fileURLWithPath: path)
        let folder = String(place.deletingLastPathComponent().path.drop { $0 == "/" })
        return try TreeFolder.find(folder, in: root)?.read(place.lastPathComponent, limit: limit)
    }

    func listing() async throws -> TreeListing { try await FileTree(path: root).listing() }

    var loopback: String? { nil }

    func run(_ command: RoomCommand, accepting accepted: Set<Int32>) async throws -> Int32 {
        let (status, lines) = try await program(command).statusAndLines { [log] in log.tell($0) }
        let isRefused = lines.last?.hasPrefix(RoomScript.refusal) == true
        let said = Printable.text(Array(lines.suffix(12).joined(separator: "\n").utf8))
        switch status {
        case 0: return 0
        case RoomScript.unfit where isRefused:
            throw KilnError(
                .bakeTreeRefused,
                "the tree of an image can be no room for a step",
                hint: "look for the step of the recipe that made the link: none that leads out of the tree is followed",
                cause: said,
                exit: .aborted
            )
        case RoomScript.refused where isRefused:
            throw KilnError(
                .bakeRoomRefused,
                "this host does not let a bake have namespaces of its own",
                hint:
                    "see 'kiln doctor'; in a container, give it --security-opt seccomp=unconfined and CAP_SYS_ADMIN, or bake as root",
                cause: said,
                exit: .aborted
            )
        case _ where accepted.contains(status): return status
        default:
            throw KilnError(
                .bakeStepFailed,
                "\(command.arguments.first ?? "") ended with exit status \(status), expected 0",
                cause: said,
                exit: .aborted
            )
        }
    }

    private func program(_ command: RoomCommand) -> Command {
        let line = ChrootRoom.line(
            root: root,
            recipe: recipe,
            network: command.network,
            loans: lent.withLock { $0 }.flatMap { [$0.folder, $0.name] },
            command.arguments
        )
        var program = Command(line[0], Array(line.dropFirst()), deadline: command.timeout)
        let host = ProcessInfo.processInfo.environment
        program.surroundings = .only(ChrootRoom.environment(of: command, variables, on: host))
        program.grace = .seconds(5)
        program.endsWithParent = true
        return program
    }

    /// All that a program finds in its environment: nothing of who bakes, but the proxies where it reaches the network.
    ///
    /// - Parameter host: the environment of who bakes.
    static func environment(
        of command: RoomCommand,
        _ variables: [String: String],
        on host: [String: String]
    ) -> [String: String] {
        let proxies = command.network ? host.filter { proxyNames.contains($0.key.lowercased()) } : [:]
        return proxies.merging(["TERM": "dumb"]) { $1 }
            .merging(RoomScript.variables) { _, own in own }
            .merging(variables) { _, own in own }
            .merging(command.environment) { _, own in own }
    }

    private static let proxyNames: Set = ["http_proxy", "https_proxy", "no_proxy"]

    /// The command that runs one in a room.
    ///
    /// - Parameter loans: folders of the host, each followed by its name.
    static func line(root: String, recipe: String, network: Bool, loans: [String] = [], _ arguments: [String])
        -> [String]
    {
        var flags = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--ipc", "--uts"]
        if geteuid() != 0 { flags += ["--map-auto", "--map-root-user"] }
        if !network { flags.append("--net") }
        let furniture = [root, recipe, network ? "network" : "alone", "\(loans.count / 2)"] + loans
        return ["unshare"] + flags + ["--", "/bin/sh"] + RoomScript.shell(furniture + arguments)
    }
}
