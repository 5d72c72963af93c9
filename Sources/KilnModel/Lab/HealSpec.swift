/// What an autopilot may do for a server, and how often.
public struct HealSpec: Sendable, Hashable {
    /// The time of day in which those are replaced who are due, by the host's clock.
    public struct Window: Sendable, Hashable, Codable {
        /// The minute of the day in which it begins.
        public let from: Int
        /// The minute of the day in which it has ended; one before `from` is of the next day.
        public let to: Int

        /// A window from its minutes of the day.
        public init(from: Int, to: Int) {
            self.from = from
            self.to = to
        }

        /// Whether a minute of the day is in it.
        public func holds(_ minute: Int) -> Bool {
            from <= to ? (from..<to).contains(minute) : minute >= from || minute < to
        }

        /// The minute of the day that is written as `02:30`; nothing for anything else.
        public static func minute(_ text: String) -> Int? {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2,
                parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
                let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
            else { return nil }
            return hour * 60 + minute
        }

        /// It in words: `02:00 to 05:00`.
        public var text: String { "\(Window.text(from)) to \(Window.text(to))" }

        private static func text(_ minute: Int) -> String { "\(digits(minute / 60)):\(digits(minute % 60))" }
        private static func digits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    }

    /// For how long a member that runs has to be silent before something is done.
    public var after: Duration
    /// How many times all its members together may be healed in ``per``, and how many times in a row one of them.
    public var atMost: Int
    /// The time in which so many heals are allowed; a member that serves for so long is sound again.
    public var per: Duration
    /// When those are replaced who are due; nothing means at any time.
    public var window: Window?

    /// A spec from its parts.
    public init(after: Duration = .seconds(30), atMost: Int = 3, per: Duration = .seconds(600), window: Window? = nil) {
        self.after = after
        self.atMost = atMost
        self.per = per
        self.window = window
    }
}

// What was written by an earlier version has fewer fields; what it lacks has its default.
extension HealSpec: Codable {
    private enum CodingKeys: String, CodingKey { case after, atMost, per, window }

    /// Decodes a spec that this or an earlier version wrote.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        after = try fields.decodeIfPresent(Duration.self, forKey: .after) ?? after
        atMost = try fields.decodeIfPresent(Int.self, forKey: .atMost) ?? atMost
        per = try fields.decodeIfPresent(Duration.self, forKey: .per) ?? per
        window = try fields.decodeIfPresent(Window.self, forKey: .window)
    }
}
