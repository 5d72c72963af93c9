/// What the guest says of one record that its disk has: the line `NUMBER CHECKSUM`.
public struct Acknowledgement: Sendable, Hashable {
    /// The record's number, from 1.
    public let number: UInt64
    /// Its checksum.
    ///
    /// A number alone would not do: after a restored snapshot it is given a second time.
    public let checksum: UInt32

    /// An acknowledgement from its parts.
    public init(number: UInt64, checksum: UInt32) {
        self.number = number
        self.checksum = checksum
    }

    /// Reads a line without its newline; nothing for anything else.
    init?(line: ArraySlice<UInt8>) {
        let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard fields.count == 2, let number = UInt64(digits: fields[0]),
            let checksum = UInt32(checksum: fields[1])
        else { return nil }
        self.init(number: number, checksum: checksum)
    }

    /// The checksum as eight hexadecimal digits.
    var digits: String {
        let digits = String(checksum, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// What a service says of the record, and the guest's line without its newline.
    var text: String { "\(number) \(digits)" }

    /// The line, with its newline.
    var line: String { text + "\n" }
}

/// Cuts a stream of bytes that nobody vouches for into lines of a bounded length.
struct LineSplitter: Sendable {
    private let longest: Int
    private var line: [UInt8] = []
    private var isTooLong = false

    /// Lines with more bytes than `longest` are given as nothing.
    init(longest: Int) { self.longest = longest }

    /// Takes the next bytes; `body` gets every line that they end, or nothing for one that is too long.
    mutating func take(_ bytes: some Sequence<UInt8>, _ body: (ArraySlice<UInt8>?) -> Void) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                body(isTooLong ? nil : line[...])
                line.removeAll(keepingCapacity: true)
                isTooLong = false
            } else if line.count < longest {
                line.append(byte)
            } else {
                isTooLong = true
            }
        }
    }

    /// What follows the last newline.
    var rest: ArraySlice<UInt8> { line[...] }
}

/// Reads acknowledgements from the stream of a guest, which may send anything.
public struct AcknowledgementParser: Sendable {
    private var lines = LineSplitter(longest: 40)
    /// Lines that were no acknowledgement.
    public private(set) var garbage = 0

    /// A parser at the start of a stream.
    public init() {}

    /// Takes the next bytes and gives the acknowledgements that they complete; a line that is cut off never counts.
    public mutating func take(_ bytes: some Sequence<UInt8>) -> [Acknowledgement] {
        var found: [Acknowledgement] = []
        var garbage = 0
        lines.take(bytes) { line in
            if let acknowledgement = line.flatMap(Acknowledgement.init(line:)) {
                found.append(acknowledgement)
            } else {
                garbage += 1
            }
        }
        self.garbage += garbage
        return found
    }
}
