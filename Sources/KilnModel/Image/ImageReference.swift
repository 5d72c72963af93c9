/// How a lab file names an image: `name`, `name:version`, `name@channel` or `name@sha256:…`.
public struct ImageReference: Sendable, Hashable, Codable, CustomStringConvertible {
    /// Which of the images of that name is meant.
    public enum Selector: Sendable, Hashable {
        /// The newest version in the store.
        case latest
        /// The version of that name.
        case version(String)
        /// What the channel points to when it is asked.
        case channel(Name)
        /// Exactly this content.
        case digest(ImageDigest)
    }

    /// The image's name.
    public let name: Name
    /// Which of the images of that name.
    public let selector: Selector

    /// A reference from its parts.
    public init(name: Name, selector: Selector) {
        self.name = name
        self.selector = selector
    }

    /// Reads the written form.
    ///
    /// - Throws: `KilnError` with code `image.reference-invalid` or `name.invalid`.
    public init(_ text: String) throws {
        if let at = text.firstIndex(of: "@") {
            let selector = ImageReference.selector(after: String(text[text.index(after: at)...]))
            guard let selector else { throw ImageReference.invalid(text) }
            self.init(name: try Name(String(text[..<at])), selector: selector)
        } else if let colon = text.firstIndex(of: ":") {
            let version = String(text[text.index(after: colon)...])
            guard ImageReference.acceptsVersion(version) else { throw ImageReference.invalid(text) }
            self.init(name: try Name(String(text[..<colon])), selector: .version(version))
        } else {
            self.init(name: try Name(text), selector: .latest)
        }
    }

    /// The written forms, as a sentence names them.
    public static let forms = "name, name:version, name@channel or name@sha256:<64 digits>"

    /// Whether `text` can be a version: 1 to 40 characters from letters, digits, `.`, `_`, `+` and `-`, the first a
    /// letter or digit, so that it is also a safe path component.
    public static func acceptsVersion(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 40 else { return false }
        func isWord(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        }
        return isWord(first) && text.utf8.allSatisfy { isWord($0) || ".+_-".utf8.contains($0) }
    }

    // No name of a channel has a colon, or is as long as a digest.
    private static func selector(after text: String) -> Selector? {
        ImageDigest(text).map(Selector.digest) ?? (try? Name(text)).map(Selector.channel)
    }

    private static func invalid(_ text: String) -> KilnError {
        KilnError(
            .imageReferenceInvalid,
            "\(Name.quoted(text)) names no image: expected \(ImageReference.forms)",
            hint: "list the images with 'kiln image list'",
            exit: .invalidFile
        )
    }

    /// Decodes the written form.
    public init(from decoder: any Decoder) throws {
        try self.init(try decoder.singleValueContainer().decode(String.self))
    }

    /// Encodes the written form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// The written form.
    public var description: String {
        switch selector {
        case .latest: name.text
        case .version(let version): "\(name):\(version)"
        case .channel(let channel): "\(name)@\(channel)"
        case .digest(let digest): "\(name)@\(digest)"
        }
    }
}
