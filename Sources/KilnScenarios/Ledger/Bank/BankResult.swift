import KilnModel

/// Whether a bank's money is all there.
public struct BankResult: Sendable, Hashable, Codable {
    /// A total that was not what it had to be.
    public struct WrongTotal: Sendable, Hashable, Codable {
        /// What the accounts held together.
        public let total: Int
        /// How many accounts there were.
        public let accounts: Int
        /// When it was seen.
        public let seen: LedgerMoment
    }

    /// The bank.
    public let name: Name
    /// What the accounts have to hold together.
    public let expected: Int
    /// What they hold together at the end.
    public let total: Int
    /// How many transfers were acknowledged.
    public let acknowledged: Int
    /// How many of these are not there.
    public let lost: Int
    /// How many transfers are there more than once.
    public let duplicated: Int
    /// How many transfers are there that nobody acknowledged; allowed, because an answer can be cut off.
    public let unacknowledged: Int
    /// How often the total was looked at while transfers were made.
    public let looks: Int
    /// How often it was wrong.
    public let wrong: Int
    /// The first time that it was wrong.
    public let firstWrong: WrongTotal?
    /// The accounts that do not hold what the transfers leave them, by number, the first twenty.
    public let off: [Int]

    private enum CodingKeys: String, CodingKey {
        case name, expected, total, acknowledged, lost, duplicated, unacknowledged, looks, wrong, off
        case firstWrong = "first_wrong"
    }

    /// Judges a bank.
    ///
    /// - Parameters:
    ///   - acknowledged: the transfers of which the database said that they were made.
    ///   - looks: the totals that were seen meanwhile.
    ///   - state: what the database holds at the end.
    ///   - steps: the steps of the run so far.
    public init(
        _ plan: BankPlan,
        acknowledged: Set<BankTransfer>,
        looks: [BankTotal],
        state: BankState,
        steps: [StepSpan]
    ) {
        let copies = Dictionary(state.transfers.map { ($0, 1) }, uniquingKeysWith: +)
        let wrong = looks.filter { $0.total != plan.total || $0.accounts != plan.accounts }
        name = plan.name
        expected = plan.total
        total = state.balances.values.reduce(0) { $0 &+ $1 }
        self.acknowledged = acknowledged.count
        lost = acknowledged.count { copies[$0] == nil }
        duplicated = copies.values.count { $0 > 1 }
        unacknowledged = copies.keys.count { !acknowledged.contains($0) }
        self.looks = looks.count
        self.wrong = wrong.count
        firstWrong = wrong.min { $0.time < $1.time }.map {
            WrongTotal(total: $0.total, accounts: $0.accounts, seen: LedgerMoment($0.time, among: steps))
        }
        off = BankResult.off(plan, state)
    }

    // Numbers that a database holds may be of any size.
    private static func off(_ plan: BankPlan, _ state: BankState) -> [Int] {
        var right = Dictionary(uniqueKeysWithValues: (1...plan.accounts).map { ($0, plan.balance) })
        for transfer in state.transfers {
            right[transfer.from, default: 0] &-= transfer.amount
            right[transfer.to, default: 0] &+= transfer.amount
        }
        let numbers = Set(right.keys).union(state.balances.keys).filter { right[$0] != state.balances[$0] }
        return Array(numbers.sorted().prefix(20))
    }

    /// Whether nothing was lost or doubled, and the total was right whenever it was looked at.
    public var isClean: Bool { lost == 0 && duplicated == 0 && wrong == 0 && off.isEmpty && total == expected }

    /// The result in words.
    public var description: String {
        var parts = [
            "\(name): total \(total), \(expected) expected",
            "transfers acknowledged \(acknowledged), lost \(lost), duplicated \(duplicated)",
        ]
        if let firstWrong {
            parts.append(
                "wrong at \(wrong) of \(looks) looks, first \(firstWrong.total) in \(firstWrong.accounts) accounts, "
                    + firstWrong.seen.description
            )
        }
        if !off.isEmpty {
            parts.append("accounts that the transfers do not explain: \(off.map(String.init).joined(separator: ", "))")
        }
        return parts.joined(separator: "; ")
    }
}
