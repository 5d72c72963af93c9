import Foundation

/// A day whose state of a package archive counts.
struct SnapshotDate: Sendable, Hashable, CustomStringConvertible {
    /// As it is written: `2026-11-01`.
    let description: String
    /// The second since 1970 with which it begins, at Greenwich.
    let epoch: Int

    /// Reads `YYYY-MM-DD`, a day that there can be.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2], text.utf8.allSatisfy({ $0 == 0x2d || (0x30...0x39).contains($0) }),
            let month = Int(parts[1]), let day = Int(parts[2]), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        guard let date = calendar.date(from: DateComponents(year: Int(parts[0]), month: month, day: day)),
            calendar.component(.day, from: date) == day
        else { return nil }
        epoch = Int(date.timeIntervalSince1970)
        description = text
    }

    /// As the snapshot archives call the first state of that day: `20261101T000000Z`.
    var stamp: String { description.replacing("-", with: "") + "T000000Z" }
}
