import Foundation
import Glibc
import KilnOutside

extension LaneServer {
    /// Checks that just the machine runs that serves, with its volume, and that it answers on a port.
    func checkServing(_ status: Status, port: UInt16?, _ result: inout CellResult) throws {
        let running = member.machines.compactMap { Embodiment($0)?.generation }
        if running.count > 1 { result.bothServing += 1 }
        guard let generation = status.generation, status.state == "running", let port else {
            // Counted already where it did not serve after the next command.
            result.neitherServing = max(1, result.neitherServing)
            result.notes.append("\(member.title(status.generation ?? 0)) is \(status.state), halted: \(status.halted)")
            return
        }
        let title = member.title(generation)
        if running != [generation] { result.broken.append("\(title) serves, but \(running) run") }
        if status.operation != nil || status.halted { result.broken.append("the replacement is still open, or halted") }
        let deadline = ContinuousClock.now + .seconds(10)
        var answering = answeringGeneration(port: port)
        // A guest whose every instruction is emulated may let a connection wait.
        while answering == nil && ContinuousClock.now < deadline {
            pause(.milliseconds(100))
            answering = answeringGeneration(port: port)
        }
        if answering == nil { result.neitherServing = max(1, result.neitherServing) }
        let mount = try home.run(["exec", member.name, "--", "grep", "-q", " /data ext4 ", "/proc/mounts"])
        if mount.status != 0 {
            // grep's own 1 says that it is not mounted; what else it may be, kiln says.
            let what = mount.status == 1 ? "serves without its volume at /data" : "can't be asked for its volume"
            result.broken.append("\(title) \(what): \(mount.errors.suffix(300))")
        }
        if let answering, answering != generation {
            result.broken.append("generation \(answering) answers on port \(port), not \(title)")
        }
    }

    /// Copies the volume as QEMU's death at this instant would leave it, and looks at the copy.
    func checkVolume(_ result: inout CellResult) throws {
        let copy = home.scratch + "/volume.raw"
        defer { try? FileManager.default.removeItem(atPath: copy) }
        var ledgers = self.ledgers
        let machines = member.machines.map(\.pid)
        // What was acknowledged before the machine stands still is in the copy.
        ledgers[ledgers.count - 1].acknowledged = acknowledgements.all
        for pid in machines { kill(pid, SIGSTOP) }
        defer { for pid in machines { kill(pid, SIGCONT) } }
        let layer = "\(member.volume)/\(try member.layers().last ?? "")"
        let convert = try home.tool(["qemu-img", "convert", "-U", "-f", "qcow2", "-O", "raw", layer, copy])
        guard convert.status == 0 else { throw Failure("the volume can't be copied: \(convert.errors)") }
        for pid in machines { kill(pid, SIGCONT) }
        let check = FileSystemCheck(image: copy) { try self.home.tool($0) }
        let place = member.ordinal == nil ? "" : "\(member.name): "
        if let problem = try check.problem() { result.broken.append(place + problem) }
        for ledger in ledgers {
            let verdict = LedgerFile.verdict(try check.file("/" + ledger.name), acknowledged: ledger.acknowledged)
            result.lost += verdict.lost
            if verdict.duplicated > 0 {
                result.broken.append(place + "\(verdict.duplicated) records of \(ledger.name) are there twice")
            }
        }
        result.acknowledged += ledgers.last?.acknowledged.count ?? 0
    }
}
