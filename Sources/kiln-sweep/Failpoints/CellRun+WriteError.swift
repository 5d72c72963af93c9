import Foundation
import Glibc
import KilnFaults
import KilnModel
import KilnOutside

extension CellRun {
    /// How long kiln stands still for a guest to write; a daemon takes a client that is silent for 30 s to be gone.
    private static let patience = Duration.seconds(20)

    /// Lets a write to the volume fail with EIO, of the machine that has it.
    func failVolumeWrite() throws {
        // In the middle of a snapshot the record names a layer already that no machine has.
        guard let machine = member.writers.first,
            let layer = Processes.openForWriting(machine.pid).first(where: { $0.hasPrefix(member.volume + "/") })
        else { throw Failure("no machine has the volume open") }
        try failWrite(of: machine, to: layer, folder: "/data")
    }

    /// Lets a write to a root overlay fail with EIO, that of the newest machine.
    func failRootWrite() throws {
        let machines = home.machines.compactMap { machine in
            Embodiment(machine).map { (number: $0.generation, machine: machine) }
        }
        guard let newest = machines.max(by: { $0.number < $1.number }) else { throw Failure("no machine runs") }
        try failWrite(of: newest.machine, to: "\(member.generations)/\(newest.number)/root.qcow2", folder: "/")
    }

    /// Lets one write of a machine to one of its disks fail, and returns once it has.
    ///
    /// One write fails, as of a disk that had to relocate a sector. Then the filter is taken out again, so that no other cell
    /// meets it.
    private func failWrite(of machine: Processes.Process, to path: String, folder: String) throws {
        guard let generation = Embodiment(machine)?.generation else { throw Failure("no machine has \(path) open") }
        let domain = member.domain(generation)
        guard let node = try BlockNode.ofStart(machine.arguments, path: path) ?? pluggedNode(domain, path) else {
            throw Failure("QEMU has no node of \(path)")
        }
        let filter = BlockErrorFilter(node, code: EIO, isOnce: true)
        for command in filter.insertion { try monitor(domain, command.name, command.arguments) }
        let isHit = try isHit(machine, domain, folder)
        for command in filter.removal { try monitor(domain, command.name, command.arguments) }
        if !isHit { result.miss("generation \(generation) wrote nothing to \(folder) within \(CellRun.patience)") }
    }

    /// Whether a write fails, which pauses the machine.
    private func isHit(_ machine: Processes.Process, _ domain: String, _ folder: String) throws -> Bool {
        let deadline = ContinuousClock.now + CellRun.patience
        while ContinuousClock.now < deadline {
            if try isPaused(machine, "(I/O error)") { return true }
            // Not waited for: a write that fails never ends, and a guest that boots has no agent yet. It mounts the
            // volume, which is a write too.
            _ = try home.virsh(["qemu-agent-command", "--timeout", "2", domain, try CellRun.forcedWrite(folder)])
            pause(.milliseconds(300))
        }
        return try isPaused(machine, "(I/O error)")
    }

    /// What lets the guest agent start a write to a folder, if that is mounted.
    private static func forcedWrite(_ folder: String) throws -> String {
        let script = #"""
            grep -q " $1 " /proc/mounts || exit 1
            file=${1%/}/.sweep-write
            echo "$$" >"$file"; sync "$file"; rm -f "$file"
            """#
        let arguments: [String: Any] = ["path": "/bin/sh", "arg": ["-c", script, "write", folder]]
        let question: [String: Any] = ["execute": "guest-exec", "arguments": arguments]
        return String(decoding: try JSONSerialization.data(withJSONObject: question), as: UTF8.self)
    }

    /// Whether a machine stands still, for this reason where one is named.
    func isPaused(_ machine: Processes.Process, _ reason: String = "") throws -> Bool {
        guard let generation = Embodiment(machine)?.generation else { return false }
        return try home.virsh(["domstate", "--reason", member.domain(generation)]).output
            .hasPrefix(("paused " + reason).trimmingCharacters(in: .whitespaces))
    }

    /// The nodes of a disk that was plugged in while the machine ran.
    private func pluggedNode(_ domain: String, _ path: String) throws -> BlockNode? {
        let answer = try JSONDecoder().decode(
            JSONValue.self,
            from: Data(try monitor(domain, "query-named-block-nodes", [:]).utf8)
        )
        return BlockNode.plugged(answer["return"] ?? .null, path: path)
    }

    @discardableResult
    private func monitor(_ domain: String, _ command: String, _ arguments: [String: JSONValue]) throws -> String {
        let question = JSONValue.object(["execute": .string(command), "arguments": .object(arguments)])
        let text = String(decoding: try JSONEncoder().encode(question), as: UTF8.self)
        let end = try home.virsh(["qemu-monitor-command", domain, text])
        guard end.status == 0, !end.output.contains(#""error""#) else {
            throw Failure("QEMU refused \(command): \(end.output)\(end.errors)")
        }
        return end.output
    }
}
