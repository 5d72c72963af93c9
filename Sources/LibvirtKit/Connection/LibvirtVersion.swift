/// A version as libvirt counts: 9000000 is 9.0.0.
public struct LibvirtVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// 1,000,000 × major + 1,000 × minor + release.
    public let number: UInt

    /// Wraps libvirt's number.
    public init(number: UInt) { self.number = number }

    /// Such as "9.0.0".
    public var description: String { "\(number / 1_000_000).\(number / 1000 % 1000).\(number % 1000)" }

    /// Orders by age.
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}
