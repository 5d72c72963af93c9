import Foundation

/// A qcow2 file and the one below it, as qemu-img is told: it opens these and no other, whatever the headers say.
struct DiskChain {
    let top: String
    private let base: String?

    init(_ top: String, over base: String? = nil) {
        self.top = top
        self.base = base
    }

    /// The files of it.
    var files: [String] { [top] + [base].compactMap(\.self) }

    /// A pseudo-protocol of QEMU, in which every node is spelled out.
    ///
    /// https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html#qapidoc-913
    func description() throws -> String {
        let below = base.map { Node(filename: $0, backing: nil) }
        let bytes = try JSONEncoder().encode(Node(filename: top, backing: below))
        return "json:" + String(decoding: bytes, as: UTF8.self)
    }

    private final class Node: Encodable {
        let filename: String
        let backing: Node?

        init(filename: String, backing: Node?) {
            self.filename = filename
            self.backing = backing
        }

        enum CodingKeys: String, CodingKey { case driver, file, backing }
        enum FileKeys: String, CodingKey { case driver, filename }

        func encode(to encoder: any Encoder) throws {
            var node = encoder.container(keyedBy: CodingKeys.self)
            try node.encode("qcow2", forKey: .driver)
            // Written where there is none as well: it ends the chain.
            try node.encode(backing, forKey: .backing)
            var file = node.nestedContainer(keyedBy: FileKeys.self, forKey: .file)
            try file.encode("file", forKey: .driver)
            try file.encode(filename, forKey: .filename)
        }
    }
}
