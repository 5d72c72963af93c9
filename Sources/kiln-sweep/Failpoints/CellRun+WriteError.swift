import Foundation
import KilnOutside

extension CellRun {
    /// How long kiln stands still for a guest to write; a daemon takes a client that is silent for 30 s to be gone.
    private static let patience = Duration.seconds(20)

    /// Lets a write to the volume fail with EIO, of the machine that has it.
    func failVolumeWrite() throws {
        // In the middle of a snapshot the record names a layer already that no machine has.
        guard let machine = home.writers.first,
            let layer = Processes.openForWriting(machine.pid).first(where: { $0.hasPrefix(home.volume + "/") })
        else { throw Failure("no machine has the volume open") }
        try failWrite(of: machine, to: layer, folder: "/data")
    }

    /// Lets a write to a root overlay fail with EIO, that of the newest machine.
    func failRootWrite() throws {
        let machines = home.machines.compactMap { machine in
            LaneHome.generation(of: machine).map { (number: $0, machine: machine) }
        }
        guard let newest = machines.max(by: { $0.number < $1.number }) else { throw Failure("no machine runs") }
        try failWrite(of: newest.machine, to: "\(home.generations)/\(newest.number)/root.qcow2", folder: "/")
    }

    /// Lets one write of a machine to one of its disks fail, and returns once it has.
    ///
    /// QEMU's blkdebug driver is put between the active layer and its file while the machine runs; it fails one write,
    /// as a disk that had to relocate a sector does. Then it is taken out again, so that no other cell meets it.
    /// https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html#qapidoc-blockdev-reopen
    private func failWrite(of machine: Processes.Process, to path: String, folder: String) throws {
        guard let generation = LaneHome.generation(of: machine) else { throw Failure("no machine has \(path) open") }
        let domain = LaneHome.domain(generation)
        guard let (storage, fields) = try Node.ofStart(machine.arguments, path) ?? pluggedNode(domain, path) else {
            throw Failure("QEMU has no node of \(path)")
        }
        let rule: [String: Any] = ["event": "none", "iotype": "write", "errno": 5, "once": true]
        let filter: [String: Any] = [
            "driver": "blkdebug", "node-name": "eio", "image": storage, "inject-error": [rule],
        ]
        try monitor(domain, "blockdev-add", filter)
        var format = fields
        format["file"] = "eio"
        try monitor(domain, "blockdev-reopen", ["options": [format]])
        let isHit = try isHit(machine, domain, folder)
        format["file"] = storage
        try monitor(domain, "blockdev-reopen", ["options": [format]])
        try monitor(domain, "blockdev-del", ["node-name": "eio"])
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
        guard let generation = LaneHome.generation(of: machine) else { return false }
        return try home.virsh(["domstate", "--reason", LaneHome.domain(generation)]).output
            .hasPrefix(("paused " + reason).trimmingCharacters(in: .whitespaces))
    }

    /// The nodes of a disk that was plugged in while the machine ran, which its arguments do not name.
    private func pluggedNode(_ domain: String, _ path: String) throws -> (storage: String, format: [String: Any])? {
        let answer = try monitor(domain, "query-named-block-nodes", [:])
        let document = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
        let nodes = document?["return"] as? [[String: Any]] ?? []
        func node(_ driver: String, _ file: String?) -> String? {
            let node = nodes.first { $0["drv"] as? String == driver && CellRun.filePath($0["file"] as? String) == file }
            return node?["node-name"] as? String
        }
        guard let storage = node("file", path), let format = node("qcow2", path) else { return nil }
        let image = nodes.first { $0["node-name"] as? String == format }?["image"] as? [String: Any]
        var fields: [String: Any] = [
            "driver": "qcow2", "node-name": format, "read-only": false, "discard": "unmap",
            "cache": ["direct": false, "no-flush": false],
        ]
        let below = CellRun.filePath((image?["backing-image"] as? [String: Any])?["filename"] as? String)
        if let backing = node("qcow2", below) { fields["backing"] = backing }
        return (storage, fields)
    }

    /// The path that QEMU means by a file's name, which is a JSON object where a path alone would not say enough.
    private static func filePath(_ name: String?) -> String? {
        guard let name, name.hasPrefix("json:") else { return name }
        let object = try? JSONSerialization.jsonObject(with: Data(name.dropFirst("json:".count).utf8))
        return ((object as? [String: Any])?["file"] as? [String: Any])?["filename"] as? String
    }

    private struct Node {
        let fields: [String: Any]

        /// The nodes of a disk that the machine was started with.
        static func ofStart(_ arguments: [String], _ path: String) -> (storage: String, format: [String: Any])? {
            let nodes = arguments.compactMap(Node.init)
            guard let storage = nodes.first(where: { $0.text("filename") == path })?.text("node-name"),
                let format = nodes.first(where: { $0.text("file") == storage })?.fields
            else { return nil }
            return (storage, format)
        }

        init?(argument: String) {
            guard argument.hasPrefix("{"), argument.contains("node-name"),
                let object = try? JSONSerialization.jsonObject(with: Data(argument.utf8)) as? [String: Any]
            else { return nil }
            fields = object
        }

        func text(_ key: String) -> String? { fields[key] as? String }
    }

    @discardableResult
    private func monitor(_ domain: String, _ command: String, _ arguments: [String: Any]) throws -> String {
        let question = try JSONSerialization.data(withJSONObject: ["execute": command, "arguments": arguments])
        let end = try home.virsh(["qemu-monitor-command", domain, String(decoding: question, as: UTF8.self)])
        guard end.status == 0, !end.output.contains(#""error""#) else {
            throw Failure("QEMU refused \(command): \(end.output)\(end.errors)")
        }
        return end.output
    }
}
