import KilnModel

/// Writes to a disk that fail: QEMU's driver blkdebug, put between a disk's format and its file while the machine runs.
///
/// https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html#qapidoc-blockdev-reopen
package struct BlockErrorFilter: Sendable {
    /// A command for the machine's monitor.
    package struct Command: Sendable {
        package let name: String
        package let arguments: [String: JSONValue]
    }

    private let node: BlockNode
    private let rule: [String: JSONValue]

    /// A filter for a disk.
    ///
    /// - Parameters:
    ///   - code: what each write fails with, a number of errno(3).
    ///   - isOnce: whether one write fails, as where a disk had to relocate a sector.
    package init(_ node: BlockNode, code: Int32, isOnce: Bool) {
        self.node = node
        rule = [
            "event": "none", "iotype": "write", "errno": .int(Int64(code)), "once": .bool(isOnce),
        ]
    }

    /// Puts it in.
    package var insertion: [Command] {
        [
            Command(
                name: "blockdev-add",
                arguments: [
                    "driver": "blkdebug", "node-name": .string(BlockErrorFilter.name), "image": .string(node.storage),
                    "inject-error": [.object(rule)],
                ]
            ),
            reopening(on: BlockErrorFilter.name),
        ]
    }

    /// Takes it out.
    package var removal: [Command] { [reopening(on: node.storage), deletion] }

    /// Removes it where it was made and not put in.
    package var deletion: Command {
        Command(name: "blockdev-del", arguments: ["node-name": .string(BlockErrorFilter.name)])
    }

    private func reopening(on file: String) -> Command {
        var format = node.format
        format["file"] = .string(file)
        return Command(name: "blockdev-reopen", arguments: ["options": [.object(format)]])
    }

    private static let name = "eio"
}
