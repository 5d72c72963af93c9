extension Report {
    /// What clients saw of replacements.
    var replacementLines: [String] { replacements.flatMap(lines) }

    private func lines(_ comparison: ReplacementComparison) -> [String] {
        let ways = Way.allCases.flatMap { way -> [String] in
            guard let longest = comparison.longest(way), let between = comparison.between(way),
                let wall = comparison.wall(way)
            else { return [] }
            let steps = comparison.steps(way).sorted { $0.value > $1.value }
            return [
                "  \(way.rawValue)".padding(14) + "longest \(seconds(longest))   old to new \(seconds(between))   "
                    + "whole \(seconds(wall))",
                "              steps, ms: " + steps.map { "\($0.key) \(number($0.value, 0))" }.joined(separator: ", "),
            ]
        }
        let count = comparison.samples[.warmFirst]?.count ?? 0
        return ["time without an answer while a server is replaced, \(comparison.image), N = \(count), in turn"] + ways
            + [
                aim(comparison, .warmFirst, to: .stopFirst, atMost: 0.2, "0.20"),
                aim(comparison, .stopFirst, to: .script, atMost: 1, "1.00"), "",
            ]
    }

    private func aim(
        _ comparison: ReplacementComparison,
        _ way: Way,
        to other: Way,
        atMost most: Double,
        _ text: String
    )
        -> String
    {
        guard let ratio = comparison.ratio(way, to: other) else { return "" }
        return "  aim       \(way.rawValue) / \(other.rawValue) <= \(text): \(number(ratio, 2)), \(met(ratio <= most))"
    }

    /// What copies of a volume take.
    var copyLines: [String] {
        (copies ?? []).flatMap { copying in
            [
                "a volume of 1 GiB that holds 500 MiB, machine \(copying.isAttached ? "on" : "off"), "
                    + "N = \(copying.snapshot.count)",
                "  kiln volume snapshot  \(milliseconds(copying.snapshot))",
                "  kiln volume clone     \(milliseconds(copying.clone))",
                "  qemu-img create -b    \(milliseconds(copying.layer))   "
                    + "clone is \(number(copying.clone.median / copying.layer.median, 1)) times that",
                "  cp                    \(milliseconds(copying.copy))   "
                    + "clone is \(number(copying.clone.median / copying.copy.median, 2)) times that",
                "  aim       snapshot and clone < 1 s: \(met(copying.isMet))", "",
            ]
        }
    }
}

extension String {
    fileprivate func padding(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
