import Foundation
import Glibc
import KilnOutside

extension CellRun {
    /// Checks everything that has to hold once the next command has ended, from outside kiln.
    func check() throws {
        let status = try server.status()
        try checkServing(status)
        try checkVolume()
        try checkLeftovers(status)
        try checkImages()
        if let problem = JournalFile.problem(try contents(home.server + "/journal")) { result.broken.append(problem) }
    }

    // MARK: - One machine serves

    private func checkServing(_ status: LaneServer.Status) throws {
        let running = home.machines.compactMap(LaneHome.generation)
        if running.count > 1 { result.bothServing += 1 }
        guard let generation = status.generation, status.state == "running", let port = status.ports["http"]?.host
        else {
            // Counted already where it did not serve after the next command.
            result.neitherServing = max(1, result.neitherServing)
            result.notes.append("generation \(status.generation ?? 0) is \(status.state), halted: \(status.halted)")
            return
        }
        if running != [generation] { result.broken.append("generation \(generation) serves, but \(running) run") }
        if status.operation != nil || status.halted { result.broken.append("the replacement is still open, or halted") }
        let deadline = ContinuousClock.now + .seconds(10)
        var answering = server.answeringGeneration(port: port)
        // A guest whose every instruction is emulated may let a connection wait.
        while answering == nil && ContinuousClock.now < deadline {
            pause(.milliseconds(100))
            answering = server.answeringGeneration(port: port)
        }
        if answering == nil { result.neitherServing = max(1, result.neitherServing) }
        let mount = try home.run(["exec", LaneServer.name, "--", "grep", "-q", " /data ext4 ", "/proc/mounts"])
        if mount.status != 0 {
            // grep's own 1 says that it is not mounted; what else it may be, kiln says.
            let what = mount.status == 1 ? "serves without its volume at /data" : "can't be asked for its volume"
            result.broken.append("generation \(generation) \(what): \(mount.errors.suffix(300))")
        }
        if let answering, answering != generation {
            result.broken.append("generation \(answering) answers on port \(port), not \(generation)")
        }
    }

    // MARK: - The volume

    /// Copies the volume as QEMU's death at this instant would leave it, and looks at the copy.
    private func checkVolume() throws {
        let copy = home.scratch + "/volume.raw"
        defer { try? FileManager.default.removeItem(atPath: copy) }
        var ledgers = server.ledgers
        let machines = home.machines.map(\.pid)
        // What was acknowledged before the machine stands still is in the copy.
        ledgers[ledgers.count - 1].acknowledged = server.acknowledgements.all
        for pid in machines { kill(pid, SIGSTOP) }
        defer { for pid in machines { kill(pid, SIGCONT) } }
        let layer = "\(home.volume)/\(try home.layers().last ?? "")"
        let convert = try home.tool(["qemu-img", "convert", "-U", "-f", "qcow2", "-O", "raw", layer, copy])
        guard convert.status == 0 else { throw Failure("the volume can't be copied: \(convert.errors)") }
        for pid in machines { kill(pid, SIGCONT) }
        let check = FileSystemCheck(image: copy) { try self.home.tool($0) }
        if let problem = try check.problem() { result.broken.append(problem) }
        for ledger in ledgers {
            let verdict = LedgerFile.verdict(try check.file("/" + ledger.name), acknowledged: ledger.acknowledged)
            result.lost += verdict.lost
            if verdict.duplicated > 0 {
                result.broken.append("\(verdict.duplicated) records of \(ledger.name) are there twice")
            }
        }
        result.acknowledged = ledgers.last?.acknowledged.count ?? 0
    }

    // MARK: - Nothing is left

    private func checkLeftovers(_ status: LaneServer.Status) throws {
        let garbage = try home.run(["gc", "--format", "json"])
        if garbage.status != 0 { result.broken.append("kiln gc ended with \(garbage.status): \(garbage.errors)") }
        guard let generation = status.generation else { return }
        let manager = FileManager.default
        func names(_ path: String) -> Set<String> { Set((try? manager.contentsOfDirectory(atPath: path)) ?? []) }
        func left(_ what: String, _ found: Set<String>) {
            result.leftovers += found.sorted().map { "\(what) \($0)" }
        }
        left("file of generation \(generation)", names("\(home.generations)/\(generation)").subtracting(CellRun.own))
        var roots: Set<String> = []
        for other in names(home.generations).subtracting(["\(generation)"]) {
            let files = names("\(home.generations)/\(other)")
            if files.contains("root.qcow2") { roots.insert(other) }
            left("file of generation \(other)", files.subtracting(CellRun.remembered).subtracting(["root.qcow2"]))
        }
        // One root of the past is kept, to be looked at.
        if roots.count > 1 { left("root of generation", roots) }
        left("file of the server", names(home.server).subtracting(["generations", "journal", "lock"]))
        left("file of the volume", names(home.volume).subtracting(try home.layers() + ["lock", "volume.json"]))
        left("scratch file", names(home.path + "/scratch"))
        let sockets = names(home.sockets)
        if sockets.count > 3 { left("socket", sockets) }
        let own = LaneHome.domain(generation)
        let domains = try domains()
        if !domains.contains(own) { result.broken.append("virsh lists no domain \(own)") }
        left("domain", domains.subtracting([own]))
        left("held lock", Set([home.server + "/lock", home.volume + "/lock"].filter(CellRun.isLocked)))
        let expected: Set<String> = ["kiln-sweep", "libvirtd", "qemu-system-x86_64"]
        let processes = Processes.below(home.path).filter {
            !expected.contains($0.name) && !$0.arguments.contains("__daemon")
        }
        left("process", Set(processes.map { $0.arguments.prefix(3).joined(separator: " ") }))
        let ports = home.machines.reduce(into: Set<UInt16>()) { $0.formUnion(Processes.listeningPorts($1.pid)) }
        left("port", Set(ports.subtracting(status.ports.values.map(\.host)).map(String.init)))
        // Evidence is meant to stay, for people; the next cell begins without.
        try? manager.removeItem(atPath: home.path + "/evidence")
    }

    /// What is kept of every generation, for 'history' and 'logs'.
    private static let remembered: Set<String> = [
        "generation.json", "console.log", "console.start", "health.start", "ready.since", "boot.json", "mounted",
        "drift.json",
    ]
    /// What the generation that serves has.
    private static let own = remembered.union(["root.qcow2"])

    private func domains() throws -> Set<String> {
        let list = try home.virsh(["list", "--all", "--name"])
        guard list.status == 0 else { throw Failure("virsh list ended with \(list.status): \(list.errors)") }
        return Set(list.output.split(separator: "\n").map(String.init))
    }

    private static func isLocked(_ path: String) -> Bool {
        let file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return flock(file, LOCK_EX | LOCK_NB) != 0
    }

    // MARK: - Images

    private func checkImages() throws {
        let store = home.path + "/images/sha256"
        for version in ["1", "2"] {
            let name = try contents(home.path + "/images/names/tiny/\(version)")
            let digest = String(decoding: name, as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines).replacingOccurrences(of: "sha256:", with: "")
            let sum = try home.tool(["sha256sum", "\(store)/\(digest)/disk.qcow2"])
            if !sum.output.hasPrefix(digest + " ") { result.broken.append("the image tiny:\(version) has changed") }
        }
    }
}
