import Foundation
import Glibc
import KilnOutside

/// Looks for what nobody needs any more in a home, once nothing is done in it.
struct Leftovers {
    let home: LaneHome
    /// All members of its server, each with the generation that serves.
    let members: [(member: LaneMember, generation: Int)]
    /// The ports on which their machines are reached.
    let ports: Set<UInt16>
    /// Whether the server has a front.
    let hasFront: Bool

    /// What was left behind.
    private(set) var found: [String] = []
    /// What is missing.
    private(set) var missing: [String] = []

    init(home: LaneHome, members: [(member: LaneMember, generation: Int)], ports: Set<UInt16>, hasFront: Bool = false) {
        (self.home, self.members, self.ports, self.hasFront) = (home, members, ports, hasFront)
    }

    /// Lets kiln remove what it finds; what is wrong with that.
    static func collect(_ home: LaneHome) throws -> String? {
        let garbage = try home.run(["gc", "--format", "json"])
        return garbage.status == 0 ? nil : "kiln gc ended with \(garbage.status): \(garbage.errors)"
    }

    /// Looks at everything.
    mutating func look() throws {
        for (member, generation) in members {
            lookAtGenerations(of: member, generation)
            if member.index > 0 { left("file of \(member.name)", names(member.folder).subtracting(Leftovers.files)) }
        }
        left("file of the server", names(home.server).subtracting(serverFiles))
        left("member", names(home.server + "/members").subtracting(members.map { "\($0.member.index)" }))
        for (member, _) in members {
            let kept = Set(try member.layers() + ["lock", "volume.json"])
            left(named("file of the volume", member), names(member.volume).subtracting(kept))
        }
        left("scratch file", names(home.path + "/scratch"))
        left("half-made template", names(home.path + "/templates").filter { $0.hasSuffix(".making") })
        lookAtSockets()
        try lookAtDomains()
        left("held lock", Set(locks.filter(Leftovers.isLocked)))
        lookAtProcesses()
        let listening = home.machines.reduce(into: Set<UInt16>()) { $0.formUnion(Processes.listeningPorts($1.pid)) }
        left("port", Set(listening.subtracting(ports).map(String.init)))
        // Evidence is meant to stay, for people; the next cell begins without.
        try? FileManager.default.removeItem(atPath: home.path + "/evidence")
    }

    // MARK: - Files

    private func names(_ path: String) -> Set<String> {
        Set((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
    }

    private mutating func left(_ what: String, _ names: Set<String>) { found += names.sorted().map { "\(what) \($0)" } }

    private func named(_ what: String, _ member: LaneMember) -> String {
        what + (member.ordinal == nil ? "" : " of \(member.name)")
    }

    /// What is kept of every generation, for 'history' and 'logs'.
    private static let remembered: Set<String> = [
        "generation.json", "console.log", "console.start", "health.start", "ready.since", "boot.json", "mounted",
        "drift.json", "launch.json",
    ]

    private mutating func lookAtGenerations(of member: LaneMember, _ generation: Int) {
        // What the generation that serves has.
        let own = Leftovers.remembered.union(hasFront ? ["root.qcow2", "ports.json"] : ["root.qcow2"])
        left("file of \(member.title(generation))", names("\(member.generations)/\(generation)").subtracting(own))
        var roots: Set<String> = []
        for other in names(member.generations).subtracting(["\(generation)"]) {
            let files = names("\(member.generations)/\(other)")
            if files.contains("root.qcow2") { roots.insert(other) }
            left(
                named("file of generation \(other)", member),
                files.subtracting(Leftovers.remembered).subtracting(["root.qcow2"])
            )
        }
        // One root of the past is kept, to be looked at.
        if roots.count > 1 { left(named("root of generation", member), roots) }
    }

    private static let files: Set<String> = ["generations", "journal", "lock"]

    private var serverFiles: Set<String> {
        guard hasFront else { return Leftovers.files }
        return Leftovers.files.union([
            "members", "front.json", "front.lock", "front.change", "rollout", "rollout.lock", "rollout.target.json",
        ])
    }

    private static let frontFiles = [".front", ".front.cfg", ".front.lua", ".front.start"]

    // Each machine has three: of its console, its agent and its ledger.
    private mutating func lookAtSockets() {
        let all = names(home.sockets)
        let others = all.filter { name in !hasFront || !Leftovers.frontFiles.contains { name.hasSuffix($0) } }
        if others.count > 3 * members.count { left("socket", others) }
    }

    // MARK: - Machines, processes, locks

    private mutating func lookAtDomains() throws {
        let list = try home.virsh(["list", "--all", "--name"])
        guard list.status == 0 else { throw Failure("virsh list ended with \(list.status): \(list.errors)") }
        let domains = Set(list.output.split(separator: "\n").map(String.init))
        let own = Set(members.map { $0.member.domain($0.generation) })
        missing += own.subtracting(domains).sorted().map { "virsh lists no domain \($0)" }
        left("domain", domains.subtracting(own))
    }

    // That of the front's keeper is held as long as it lives.
    private var locks: [String] {
        let own = members.flatMap { [$0.member.folder + "/lock", $0.member.volume + "/lock"] }
        return own + (hasFront ? [home.server + "/rollout.lock", home.server + "/front.change"] : [])
    }

    private static func isLocked(_ path: String) -> Bool {
        let file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return flock(file, LOCK_EX | LOCK_NB) != 0
    }

    private mutating func lookAtProcesses() {
        let expected: Set<String> = ["kiln-sweep", "libvirtd", "qemu-system-x86_64"]
        let all = Processes.below(home.path)
        let front = hasFront ? all.filter { $0.isFrontKeeper || $0.isFront } : []
        let others = all.filter { process in
            !expected.contains(process.name) && !process.arguments.contains("__daemon")
                && !front.contains { $0.pid == process.pid }
        }
        // A keeper, and what it keeps.
        let spare = front.count > 2 ? front : []
        left("process", Set((others + spare).map { $0.arguments.prefix(3).joined(separator: " ") }))
    }
}
