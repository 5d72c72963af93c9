/// What a number has to be: equal to another, or within bounds; all that is said has to hold.
public struct NumberCondition: Sendable, Hashable, Codable, CustomStringConvertible {
    /// It is this one.
    public let equal: Int?
    /// It is less.
    public let lt: Int?
    /// It is less, or equal.
    public let le: Int?
    /// It is greater.
    public let gt: Int?
    /// It is greater, or equal.
    public let ge: Int?

    /// One number.
    public init(_ number: Int) {
        equal = number
        (lt, le, gt, ge) = (nil, nil, nil, nil)
    }

    /// Bounds; nothing where there are none, or where no number from 0 on is within them.
    public init?(lt: Int? = nil, le: Int? = nil, gt: Int? = nil, ge: Int? = nil) {
        equal = nil
        (self.lt, self.le, self.gt, self.ge) = (lt, le, gt, ge)
        guard gt != .max, lt != .min else { return nil }
        let least = max(ge ?? 0, gt.map { $0 + 1 } ?? 0)
        let most = min(le ?? .max, lt.map { $0 - 1 } ?? .max)
        guard [lt, le, gt, ge].contains(where: { $0 != nil }), least <= most else { return nil }
    }

    /// Whether a number is what it says.
    public func holds(for number: Int) -> Bool {
        let isEqual = equal.map { number == $0 } ?? true
        let isBelow = (lt.map { number < $0 } ?? true) && (le.map { number <= $0 } ?? true)
        let isAbove = (gt.map { number > $0 } ?? true) && (ge.map { number >= $0 } ?? true)
        return isEqual && isBelow && isAbove
    }

    /// The condition in words.
    public var description: String {
        let parts = [("", equal), ("more than ", gt), ("at least ", ge), ("less than ", lt), ("at most ", le)]
        return parts.compactMap { words, number in number.map { "\(words)\($0)" } }.joined(separator: " and ")
    }
}
