import Foundation
import KilnModel

/// The nodes of QEMU that make a file a disk: the one of the file, and that of its format above it.
package struct BlockNode: Sendable, Hashable {
    /// The name of the file's node.
    package let storage: String
    /// What the format's node has to be opened with again.
    package let format: [String: JSONValue]

    /// The nodes of a disk that the machine was started with, from the arguments of its process.
    package static func ofStart(_ arguments: [String], path: String) -> BlockNode? {
        let nodes = arguments.filter { $0.hasPrefix("{") && $0.contains("node-name") }.compactMap { argument in
            try? JSONDecoder().decode([String: JSONValue].self, from: Data(argument.utf8))
        }
        guard let storage = nodes.first(where: { $0["filename"]?.string == path })?["node-name"]?.string,
            let format = nodes.first(where: { $0["file"]?.string == storage })
        else { return nil }
        return BlockNode(storage: storage, format: format)
    }

    /// The nodes of a disk that was plugged in while the machine ran, which its arguments do not name.
    ///
    /// - Parameter answer: what `query-named-block-nodes` returned.
    package static func plugged(_ answer: JSONValue, path: String) -> BlockNode? {
        let nodes = answer.array ?? []
        func node(_ driver: String, _ file: String?) -> JSONValue? {
            nodes.first { $0["drv"]?.string == driver && filePath($0["file"]?.string) == file }
        }
        guard let storage = node("file", path)?["node-name"]?.string, let qcow2 = node("qcow2", path),
            let format = qcow2["node-name"]?.string
        else { return nil }
        var fields: [String: JSONValue] = [
            "driver": "qcow2", "node-name": .string(format), "read-only": .bool(false), "discard": "unmap",
            "cache": ["direct": .bool(false), "no-flush": .bool(false)],
        ]
        let below = filePath(qcow2["image"]?["backing-image"]?["filename"]?.string)
        if let below, let backing = node("qcow2", below)?["node-name"] { fields["backing"] = backing }
        return BlockNode(storage: storage, format: fields)
    }

    /// The path that QEMU means by a file's name, which is a JSON object where a path alone would not say enough.
    static func filePath(_ name: String?) -> String? {
        guard let name, name.hasPrefix("json:") else { return name }
        let object = try? JSONDecoder().decode(JSONValue.self, from: Data(name.dropFirst("json:".count).utf8))
        return object?["file"]?["filename"]?.string
    }
}
