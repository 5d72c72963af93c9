/// One header of a tar archive, with what longer headers before it say.
struct TarHeader {
    var name: [UInt8]
    var target: [UInt8]
    let type: Character
    let mode: UInt32
    var modified: Int
    let content: Range<Int>

    func refused(_ why: String) -> TarArchive.Refusal {
        TarArchive.Refusal(description: "holds \(Printable.text(name)), which \(why)")
    }
}

/// Goes through a tar archive header by header, and past the content of each.
struct TarReader {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next entry; nothing at the end.
    mutating func next() throws(TarArchive.Refusal) -> TarHeader? {
        var (name, target, modified) = ([UInt8]?.none, [UInt8]?.none, Int?.none)
        while var header = try header() {
            switch header.type {
            // GNU's: what follows has this name, or leads there.
            case "L": name = text(header.content)
            case "K": target = text(header.content)
            case "x":
                for (key, value) in try TarBlock.records(bytes[header.content]) {
                    switch String(decoding: key, as: UTF8.self) {
                    case "path": name = Array(value)
                    case "linkpath": target = Array(value)
                    case "mtime":
                        modified = Int(String(decoding: value.prefix { $0 != UInt8(ascii: ".") }, as: UTF8.self))
                    // The content would not be where its header says.
                    case "size", "GNU.sparse.major", "GNU.sparse.map": throw header.refused("has a size of its own")
                    default: break
                    }
                }
            case "g": break
            default:
                header.name = name ?? header.name
                header.target = target ?? header.target
                header.modified = modified ?? header.modified
                return header
            }
        }
        return nil
    }

    // A block of zeros is the end; so is that of the file where there is none.
    private mutating func header() throws(TarArchive.Refusal) -> TarHeader? {
        guard offset < bytes.count else { return nil }
        guard offset + TarBlock.length <= bytes.count else { throw .cutOff }
        let head = bytes[offset..<offset + TarBlock.length]
        if TarBlock.isEnd(head) { return nil }
        let block = try TarBlock(head)
        let size = try block.size
        let content = offset + TarBlock.length
        guard size <= bytes.count - content else { throw .cutOff }
        let header = TarHeader(
            name: block.name,
            target: block.target,
            type: block.type,
            mode: try block.mode,
            modified: try block.modified,
            content: content..<content + size
        )
        offset = content + TarBlock.padded(size)
        return header
    }

    private func text(_ range: Range<Int>) -> [UInt8] { Array(bytes[range].prefix { $0 != 0 }) }
}

extension TarArchive.Refusal {
    static var cutOff: TarArchive.Refusal { TarArchive.Refusal(description: "ends too soon") }
}
