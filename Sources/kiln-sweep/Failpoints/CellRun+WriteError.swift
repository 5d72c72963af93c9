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
        let domain = "kiln.sweep.web.\(generation)"
        let named = Node.ofStart(machine.arguments, path)
        guard let (storage, fields) = try named ?? pluggedNode(domain, path) else {
            throw Failure("QEMU has no node of \(path)")
        }
        var format = fields
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

    /// The nodes of a disk that was plugged in while the machine ran, which its arguments do not name.
    private func pluggedNode(_ domain: String, _ path: String) throws -> (storage: String, format: [String: Any])? {
        let answer = try monitor(domain, "query-named-block-nodes", [:])
        let document = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
        let nodes = document?["return"] as? [[String: Any]] ?? []
        func node(_ driver: String, _ file: String?) -> String? {
            nodes.first { $0["drv"] as? String == driver && $0["file"] as? String == file }?["node-name"] as? String
        }
        guard let storage = node("file", path), let format = node("qcow2", path) else { return nil }
        let image = nodes.first { $0["node-name"] as? String == format }?["image"] as? [String: Any]
        var fields: [String: Any] = [
            "driver": "qcow2", "node-name": format, "read-only": false, "discard": "unmap",
            "cache": ["direct": false, "no-flush": false],
        ]
        let below = (image?["backing-image"] as? [String: Any])?["filename"] as? String
        if let backing = node("qcow2", below) { fields["backing"] = backing }
        return (storage, fields)
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
