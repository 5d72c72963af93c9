/// The number that everything comes from that a run leaves to chance; with it the run can be repeated.
///
/// Each purpose has a chance of its own. So what one step draws does not depend on how many others drew before it, and in which
/// order branches that run at the same time did.
public struct RunSeed: Sendable, Hashable, CustomStringConvertible {
    /// The number; small enough for every reader of JSON.
    public let number: UInt32

    /// A seed from its number.
    public init(_ number: UInt32) { self.number = number }

    /// One that nobody chose.
    public static func fresh() -> RunSeed { RunSeed(.random(in: .min ... .max)) }

    /// The chance of a purpose: the same for the same seed and words.
    public func chance(for purpose: String) -> SeededChance {
        var mixed = SeededChance(seed: UInt64(number))
        return SeededChance(seed: mixed.next() ^ StableHash.fnv1a(purpose))
    }

    /// The number in digits.
    public var description: String { "\(number)" }
}

extension RunSeed: Codable {
    /// Decodes the number.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(UInt32.self))
    }

    /// Encodes the number.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(number)
    }
}

/// Numbers that look random, and are the same for the same seed: SplitMix64.
///
/// https://prng.di.unimi.it/splitmix64.c
public struct SeededChance: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// The numbers of a seed.
    public init(seed: UInt64) { state = seed }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
