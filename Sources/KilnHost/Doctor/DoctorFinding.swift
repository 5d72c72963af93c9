import KilnModel

/// One thing that `kiln doctor` looked at.
public struct DoctorFinding: Sendable, Hashable, Codable {
    /// How good or bad it is.
    public enum Level: String, Sendable, Hashable, Codable, CaseIterable {
        /// As it should be.
        case pass
        /// Kiln works, with a restriction.
        case warn
        /// Kiln can't work, or not for long.
        case fail
    }

    /// What was looked at: a stable, dotted name.
    public let name: String
    /// How good or bad it is.
    public let level: Level
    /// What was found.
    public let detail: String
    /// What to do about it; nothing where nothing has to be done.
    public let remedy: String?

    /// A finding from its parts.
    public init(_ name: String, _ level: Level, _ detail: String, remedy: String? = nil) {
        self.name = name
        self.level = level
        self.detail = detail
        self.remedy = remedy
    }

    /// The finding that an error makes.
    init(_ name: String, failed error: any Error) {
        let error = error as? KilnError
        let detail = [error?.message, error?.cause].compactMap { $0 }.joined(separator: ": ")
        self.init(name, .fail, detail.isEmpty ? "it could not be examined" : detail, remedy: error?.hint)
    }
}
