/// Which of two versions is the older: runs of digits compare as numbers, all else as text, so `2` < `10` < `10a`.
package enum VersionOrder {
    package static func isOlder(_ left: String, _ right: String) -> Bool {
        let (left, right) = (parts(left), parts(right))
        for (one, other) in zip(left, right) where one != other {
            switch (one, other) {
            case (.number(let one), .number(let other)): return one < other
            case (.text(let one), .text(let other)): return one < other
            case (.number, .text): return true
            case (.text, .number): return false
            }
        }
        return left.count < right.count
    }

    private enum Part: Equatable {
        case number(UInt64)
        case text(String)
    }

    private static func parts(_ text: String) -> [Part] {
        var runs: [String] = []
        for character in text {
            if let last = runs.last?.last, last.isNumber == character.isNumber {
                runs[runs.count - 1].append(character)
            } else {
                runs.append(String(character))
            }
        }
        return runs.map { run in UInt64(run).map(Part.number) ?? .text(run) }
    }
}
