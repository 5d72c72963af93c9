import Foundation

/// A qcow2 file and the one below it, as qemu-img is told: it opens these and no other, whatever the headers say.
struct DiskChain {
    let top: String
    private let base: String?
    private let range: Range<UInt64>?

    init(_ top: String, over base: String? = nil) { self.init(top, base, nil) }

    private init(_ top: String, _ base: String?, _ range: Range<UInt64>?) {
        self.top = top
        self.base = base
        self.range = range
    }

    /// Only these bytes of the disk.
    func part(_ range: Range<UInt64>) -> DiskChain { DiskChain(top, base, range) }

    /// The files of it.
    var files: [String] { [top] + [base].compactMap(\.self) }

    /// A pseudo-protocol of QEMU, in which every node is spelled out.
    ///
    /// https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html#qapidoc-913
    func description() throws -> String {
        let disk = Node.disk(top, below: base.map { .disk($0, below: nil) })
        let bytes = try JSONEncoder().encode(range.map { Node.part(disk, $0) } ?? disk)
        return "json:" + String(decoding: bytes, as: UTF8.self)
    }

    private indirect enum Node: Encodable {
        case disk(String, below: Node?)
        case part(Node, Range<UInt64>)

        enum CodingKeys: String, CodingKey { case driver, file, backing, offset, size }
        enum FileKeys: String, CodingKey { case driver, filename }

        func encode(to encoder: any Encoder) throws {
            var node = encoder.container(keyedBy: CodingKeys.self)
            switch self {
            case .disk(let filename, let below):
                try node.encode("qcow2", forKey: .driver)
                // Written where there is none as well: it ends the chain.
                try node.encode(below, forKey: .backing)
                var file = node.nestedContainer(keyedBy: FileKeys.self, forKey: .file)
                try file.encode("file", forKey: .driver)
                try file.encode(filename, forKey: .filename)
            case .part(let disk, let range):
                try node.encode("raw", forKey: .driver)
                try node.encode(disk, forKey: .file)
                try node.encode(range.lowerBound, forKey: .offset)
                try node.encode(range.upperBound - range.lowerBound, forKey: .size)
            }
        }
    }
}
