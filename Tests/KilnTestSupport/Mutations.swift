import Foundation
import KilnModel

/// How often tests spoil what is to be read, and how: by number, so that one which fails can be tried again alone.
public enum Mutations {
    /// The numbers of the mutations that are tried: a few in every run, all of them where `KILN_MUTATIONS` is `all`; where it is a
    /// number, that one alone.
    public static func numbers(_ few: Int, of all: Int) -> Range<Int> {
        switch ProcessInfo.processInfo.environment["KILN_MUTATIONS"] {
        case "all": return 0..<all
        case let text?: return Int(text).map { $0..<$0 + 1 } ?? 0..<few
        case nil: return 0..<few
        }
    }

    /// Spoils one to four of the places: with any byte, or with one that numbers overflow by.
    ///
    /// - Returns: what the mutation's number leads to next.
    @discardableResult
    public static func spoil(_ bytes: inout [UInt8], in places: [Int], number: Int) -> SeededChance {
        var random = SeededChance(seed: UInt64(truncatingIfNeeded: number))
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = places[Int.random(in: 0..<places.count, using: &random)]
            let edges: [UInt8] = [0, 1, 0x7f, 0x80, 0xff, bytes[place] ^ 1 << UInt8.random(in: 0..<8, using: &random)]
            bytes[place] =
                Bool.random(using: &random)
                ? UInt8.random(in: .min ... .max, using: &random)
                : edges[Int.random(in: 0..<edges.count, using: &random)]
        }
        return random
    }
}
