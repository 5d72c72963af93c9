import KilnModel
import Synchronization

/// A transfer from one account to another.
public struct BankTransfer: Sendable, Hashable {
    /// Which one it is, from 1.
    public let number: Int
    /// The account that gives.
    public let from: Int
    /// The account that gets.
    public let to: Int
    /// How much.
    public let amount: Int

    /// A transfer from its parts.
    public init(number: Int, from: Int, to: Int, amount: Int) {
        self.number = number
        self.from = from
        self.to = to
        self.amount = amount
    }

    /// The transfer of a number: the same for the same numbers.
    ///
    /// - Parameter accounts: how many there are, from 1, two at least.
    public init(number: Int, accounts: Int, using random: inout some RandomNumberGenerator) {
        let from = Int.random(in: 1...accounts, using: &random)
        let other = Int.random(in: 1..<accounts, using: &random)
        self.init(
            number: number,
            from: from,
            to: other < from ? other : other + 1,
            amount: Int.random(in: 1...100, using: &random)
        )
    }
}

/// The transfers of a run; each has a number of its own, whatever becomes of it.
///
/// Which connection makes it is left to chance; what it is comes from the run's seed.
final class BankTransfers: Sendable {
    private let plan: BankPlan
    private let seed: RunSeed
    private let last = Mutex(0)

    init(of plan: BankPlan, _ seed: RunSeed) {
        self.plan = plan
        self.seed = seed
    }

    /// The next transfer.
    func next() -> BankTransfer {
        let number = last.withLock { last in
            last += 1
            return last
        }
        var chance = seed.chance(for: "bank \(plan.name), transfer \(number)")
        return BankTransfer(number: number, accounts: plan.accounts, using: &chance)
    }
}
