import Foundation

/// The forms in which cloud-init takes user-data, told from how it begins.
///
/// https://cloudinit.readthedocs.io/en/latest/explanation/format.html
public enum UserDataForm: String, Sendable, Hashable, CaseIterable {
    /// The settings themselves.
    case cloudConfig = "#cloud-config"
    /// A list of parts in YAML.
    case archive = "#cloud-config-archive"
    /// Changes to other parts' settings.
    case patch = "#cloud-config-jsonp"
    /// A script for each boot, before anything else.
    case boothook = "#cloud-boothook"
    /// Addresses of parts.
    case include = "#include"
    /// Python for parts of a type of its own.
    case partHandler = "#part-handler"
    /// A script.
    case script = "#!"
    /// A template of one of the others.
    case template = "## template: jinja"
    /// Parts, each with its type.
    case mime = "MIME-Version:"
    /// One of the others, packed.
    case gzip

    /// The form of what cloud-init would get; nothing where it would know none.
    public init?(_ bytes: [UInt8]) {
        if bytes.starts(with: [0x1f, 0x8b]) {
            self = .gzip
            return
        }
        // As cloud-init does: a mail is one that says so anywhere near its start; else blanks and case don't matter.
        let start = String(decoding: bytes.prefix(4096), as: UTF8.self).lowercased()
        if start.contains(Self.mime.rawValue.lowercased()) {
            self = .mime
            return
        }
        self.init(beginning: start)
    }

    /// The form of text that is no message; nothing where cloud-init would know none.
    public init?(beginning text: String) {
        let start = text.unicodeScalars.drop { $0.properties.isWhitespace }.prefix(64)
        let found = Self.told.first { String(start).lowercased().hasPrefix($0.rawValue) }
        guard let found else { return nil }
        self = found
    }

    // The longest first: one begins as another does.
    private static let told = allCases.filter { $0 != .mime && $0 != .gzip }
        .sorted { $0.rawValue.utf8.count > $1.rawValue.utf8.count }

    /// How the others begin, for people.
    public static let choices =
        "text that starts with '#cloud-config', '#!', '## template: jinja' or another of cloud-init's first lines, or MIME"

    /// The form in words.
    public var about: String {
        switch self {
        case .cloudConfig: "a cloud-config"
        case .archive, .patch, .boothook, .include, .partHandler: "'\(rawValue)'"
        case .script: "a script"
        case .template: "a Jinja template"
        case .mime: "a MIME message"
        case .gzip: "gzip"
        }
    }
}
