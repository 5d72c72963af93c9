import KilnModel

/// What a bank says to its database.
struct BankStatements: Sendable {
    private let accounts: String
    private let transfers: String
    private let plan: BankPlan

    init(_ plan: BankPlan) {
        self.plan = plan
        accounts = "\"kiln_bank_\(plan.name)_accounts\""
        transfers = "\"kiln_bank_\(plan.name)_transfers\""
    }

    /// Makes the accounts anew, with what they hold at first.
    var setUp: String {
        "BEGIN; DROP TABLE IF EXISTS \(accounts); DROP TABLE IF EXISTS \(transfers); "
            + "CREATE TABLE \(accounts) (number int PRIMARY KEY, balance bigint NOT NULL); "
            // Without a key: a transfer that comes twice is to be seen, not refused.
            + "CREATE TABLE \(transfers) (number bigint, giver int, taker int, amount bigint); "
            + "INSERT INTO \(accounts) SELECT number, \(plan.balance) FROM generate_series(1, \(plan.accounts)) number; "
            + "COMMIT;"
    }

    /// Makes a transfer, whole or not at all.
    func make(_ transfer: BankTransfer) -> String {
        let parts = [(transfer.from, -transfer.amount), (transfer.to, transfer.amount)]
        // Always the lower number first, so that no two wait for each other.
        let updates = parts.sorted { $0.0 < $1.0 }.map { number, amount in
            "UPDATE \(accounts) SET balance = balance + (\(amount)) WHERE number = \(number);"
        }
        let row = "\(transfer.number), \(transfer.from), \(transfer.to), \(transfer.amount)"
        let note = "INSERT INTO \(transfers) VALUES (\(row));"
        return "BEGIN; \((updates + [note]).joined(separator: " ")) COMMIT;"
    }

    /// How many accounts there are, and what they hold together: one statement, so one state of the database.
    var total: String { "SELECT count(*) || ' ' || coalesce(sum(balance), 0) FROM \(accounts);" }

    /// All accounts and all transfers, of one state of the database: `a NUMBER BALANCE` and `t NUMBER FROM TO AMOUNT`.
    var everything: String {
        "SELECT 'a ' || number || ' ' || balance FROM \(accounts) UNION ALL "
            + "SELECT 't ' || number || ' ' || giver || ' ' || taker || ' ' || amount FROM \(transfers);"
    }
}
