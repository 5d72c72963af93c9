import Foundation

extension CellRun {
    /// Lets the next write that a machine makes to the volume fail with EIO.
    ///
    /// QEMU's blkdebug driver is put between the active layer and its file while the machine runs; it fails one write,
    /// as a disk that had to relocate a sector does.
    /// https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html#qapidoc-blockdev-reopen
    func failNextWrite() throws {
        let path = "\(home.volume)/\(try home.layers().last ?? "")"
        guard let machine = home.writers.first, let generation = LaneHome.generation(of: machine) else {
            throw Failure("no machine has the volume open")
        }
        let nodes = machine.arguments.compactMap(Node.init)
        guard let storage = nodes.first(where: { $0.text("filename") == path })?.text("node-name"),
            var format = nodes.first(where: { $0.text("file") == storage })?.fields
        else { throw Failure("QEMU's arguments name no node of \(path)") }
        let domain = "kiln.sweep.web.\(generation)"
        let rule: [String: Any] = ["event": "none", "iotype": "write", "errno": 5, "once": true]
        try monitor(
            domain,
            "blockdev-add",
            ["driver": "blkdebug", "node-name": "eio", "image": storage, "inject-error": [rule]]
        )
        format["file"] = "eio"
        try monitor(domain, "blockdev-reopen", ["options": [format]])
        // The error hits a running writer at once; the machine pauses. A machine that writes nothing has to be left to it.
        _ = try? awaitThat("the machine has paused", within: .seconds(5)) {
            try self.home.virsh(["domstate", domain]).output.contains("paused")
        }
    }

    private struct Node {
        let fields: [String: Any]

        init?(argument: String) {
            guard argument.hasPrefix("{"), argument.contains("node-name"),
                let object = try? JSONSerialization.jsonObject(with: Data(argument.utf8)) as? [String: Any]
            else { return nil }
            fields = object
        }

        func text(_ key: String) -> String? { fields[key] as? String }
    }

    private func monitor(_ domain: String, _ command: String, _ arguments: [String: Any]) throws {
        let question = try JSONSerialization.data(withJSONObject: ["execute": command, "arguments": arguments])
        let end = try home.virsh(["qemu-monitor-command", domain, String(decoding: question, as: UTF8.self)])
        guard end.status == 0, !end.output.contains(#""error""#) else {
            throw Failure("QEMU refused \(command): \(end.output)\(end.errors)")
        }
    }
}
