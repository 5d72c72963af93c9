/// Why a document could not be written or read.
public struct XMLError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; the raw value is a stable dotted code.
    public enum Kind: String, Sendable {
        /// A text holds a character that XML 1.0 can't carry, such as NUL.
        case unacceptableText = "xml.unacceptable-text"
        /// The path of a unix socket is empty or longer than the kernel accepts.
        case socketPath = "xml.socket-path"
        /// The document is not well-formed, or declares a document type, which libvirt's documents never do.
        case malformed = "xml.malformed"
        /// The document is larger than ``LiveDomain`` is willing to read.
        case tooLarge = "xml.too-large"
        /// The document is well-formed but not the one that was expected.
        case unexpected = "xml.unexpected"
        /// libxml2 could not allocate or write.
        case library = "xml.library"
    }

    /// What kind of failure it is.
    public let kind: Kind
    /// One sentence that names the subject.
    public let message: String
    /// The line of the document, from 1, where libxml2 named one.
    public let line: Int?

    /// A failure from its parts.
    init(_ kind: Kind, _ message: String, line: Int? = nil) {
        self.kind = kind
        self.message = message
        self.line = line
    }

    /// The message, with its line where there is one.
    public var description: String { line.map { "line \($0): \(message)" } ?? message }
}
