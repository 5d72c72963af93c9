import Foundation
import KilnModel
import KilnSystem

/// The last lines that a machine's console said; hostile text that was made printable.
public struct ConsoleExcerpt: Sendable, Hashable, Codable {
    /// How much is read of a console's end, whatever its length.
    static let length = 16 << 10
    /// How many lines are kept.
    static let mostLines = 40

    /// The server.
    public let server: Name
    /// The generation; nothing where it is not known.
    public let generation: Generation?
    /// The lines.
    public let text: String

    /// An excerpt of what was said already.
    public init(server: Name, generation: Generation?, text: String) {
        self.server = server
        self.generation = generation
        self.text = ConsoleExcerpt.printable(Array(text.utf8))
    }

    /// An excerpt whose text was made printable already.
    init(server: Name, generation: Generation?, hidden text: String) {
        self.server = server
        self.generation = generation
        self.text = text
    }

    /// The end of a console's log; nothing where there is none, or it says nothing.
    init?(of machine: MachineID, at path: String) {
        guard let bytes = FileTail.read(path, atMost: Self.length) else { return nil }
        self.init(
            server: machine.member.ownName,
            generation: machine.generation,
            text: String(decoding: bytes, as: UTF8.self)
        )
        guard !text.isEmpty else { return nil }
    }

    // Colours would only leave their digits behind.
    private static func printable(_ bytes: [UInt8]) -> String {
        let said = String(decoding: bytes.suffix(length), as: UTF8.self)
            .replacing(#/\u{1b}\[[0-9;?]*[A-Za-z]/#, with: "")
        let lines = Printable.text(said.utf8, limit: 4_000).split(separator: "\n", omittingEmptySubsequences: true)
        return lines.suffix(mostLines).map { String($0.prefix(200)) }.joined(separator: "\n")
    }
}
