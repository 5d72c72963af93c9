import KilnModel

/// What all accounts hold together, as it was seen once.
public struct BankTotal: Sendable, Hashable {
    /// When it was asked for, since the start of the run.
    public let time: Duration
    /// How many accounts there were.
    public let accounts: Int
    /// What they held together.
    public let total: Int

    /// A total from its parts.
    public init(time: Duration, accounts: Int, total: Int) {
        self.time = time
        self.accounts = accounts
        self.total = total
    }

    /// Reads the one line `ACCOUNTS TOTAL`; nothing for anything else.
    init?(_ lines: [String], at time: Duration) {
        guard lines.count == 1 else { return nil }
        let numbers = lines[0].split(separator: " ", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let accounts = numbers[0], let total = numbers[1] else { return nil }
        self.init(time: time, accounts: accounts, total: total)
    }
}

/// All accounts and all transfers that a database holds.
public struct BankState: Sendable, Hashable {
    /// What each account holds, by its number.
    public let balances: [Int: Int]
    /// The transfers, in any order, and as often as they are there.
    public let transfers: [BankTransfer]

    /// A state from its parts.
    public init(balances: [Int: Int], transfers: [BankTransfer]) {
        self.balances = balances
        self.transfers = transfers
    }

    /// Reads the lines of ``BankStatements/everything``.
    ///
    /// - Throws: `KilnError` with code `ledger.unreadable` for a line that is none of them.
    init(_ lines: [String], of bank: Name) throws {
        var balances: [Int: Int] = [:]
        var transfers: [BankTransfer] = []
        for line in lines {
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            let numbers = fields.dropFirst().compactMap { Int($0) }
            switch (fields.first, fields.count, numbers.count) {
            case ("a", 3, 2) where balances[numbers[0]] == nil: balances[numbers[0]] = numbers[1]
            case ("t", 5, 4):
                transfers.append(
                    BankTransfer(number: numbers[0], from: numbers[1], to: numbers[2], amount: numbers[3])
                )
            default:
                throw KilnError(
                    .ledgerUnreadable,
                    "the bank '\(bank)' can't be read: expected an account or a transfer, found \(Name.quoted(line))",
                    hint: "look at its tables with 'psql' through the published port",
                    exit: .unmet
                )
            }
        }
        self.init(balances: balances, transfers: transfers)
    }
}
