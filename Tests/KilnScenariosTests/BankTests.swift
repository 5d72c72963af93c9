import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("A bank: whatever becomes of the server, the total stays")
struct BankTests {
    private let plan: BankPlan

    init() throws {
        let table = LedgerTable(
            port: try Name("sql"),
            login: SQLLogin(database: try #require(SQLName("shop")), user: try #require(SQLName("app")))
        )
        plan = BankPlan(name: try Name("tills"), server: try Name("db"), table: table, accounts: 5, balance: 100)
    }

    private func transfers(_ count: Int) -> [BankTransfer] {
        var random = SeededChance(seed: 7)
        return (1...count).map { BankTransfer(number: $0, accounts: plan.accounts, using: &random) }
    }

    /// What the accounts hold after transfers.
    private func balances(after transfers: [BankTransfer]) -> [Int: Int] {
        var balances = Dictionary(uniqueKeysWithValues: (1...plan.accounts).map { ($0, plan.balance) })
        for transfer in transfers {
            balances[transfer.from, default: 0] -= transfer.amount
            balances[transfer.to, default: 0] += transfer.amount
        }
        return balances
    }

    private func result(
        _ acknowledged: [BankTransfer],
        _ looks: [Int] = [500, 500, 500],
        balances: [Int: Int],
        held: [BankTransfer]
    ) -> BankResult {
        BankResult(
            plan,
            acknowledged: Set(acknowledged),
            looks: looks.enumerated().map { BankTotal(time: .seconds($0.offset), accounts: 5, total: $0.element) },
            state: BankState(balances: balances, transfers: held),
            steps: [StepSpan(name: "replace db", start: .milliseconds(500), end: .seconds(9))]
        )
    }

    @Test("transfers are between two accounts that there are, in amounts that are some")
    func generated() {
        let all = transfers(500)
        #expect(all.allSatisfy { $0.from != $0.to && (1...5).contains($0.from) && (1...5).contains($0.to) })
        #expect(all.allSatisfy { $0.amount > 0 } && Set(all.map(\.number)).count == 500)
        #expect(Set(all.map(\.from)).count == 5 && Set(all.map(\.to)).count == 5)
    }

    @Test("a bank whose transfers are all there is clean, also with one that nobody acknowledged")
    func clean() {
        let all = transfers(20)
        let result = result(Array(all.dropLast()), balances: balances(after: all), held: all)
        #expect(result.isClean && result.total == 500 && result.unacknowledged == 1, "\(result.description)")
    }

    @Test("a transfer without a transaction is seen by the total meanwhile, and it is told when")
    func planted() {
        let all = transfers(20)
        let result = result(all, [500, 460, 500], balances: balances(after: all), held: all)
        #expect(!result.isClean && result.wrong == 1 && result.looks == 3)
        #expect(result.firstWrong?.total == 460)
        #expect(result.description.contains("500 ms into 'replace db'"), "\(result.description)")
    }

    @Test("a transfer without a transaction that nobody saw meanwhile is seen by its accounts")
    func unnoted() {
        let all = transfers(20)
        var balances = balances(after: all)
        balances[2, default: 0] -= 40
        balances[4, default: 0] += 40
        let result = result(all, balances: balances, held: all)
        #expect(!result.isClean && result.total == 500 && result.off == [2, 4])
    }

    @Test("half a transfer is seen by the total at the end")
    func half() {
        let all = transfers(20)
        var balances = balances(after: all)
        balances[2, default: 0] -= 40
        #expect(result(all, balances: balances, held: all).total == 460)
        #expect(!result(all, balances: balances, held: all).isClean)
    }

    @Test("a lost transfer and a doubled one are each counted")
    func lost() {
        let all = transfers(20)
        let held = Array(all.dropFirst()) + [all[5]]
        let result = result(all, balances: balances(after: held), held: held)
        #expect(!result.isClean && result.lost == 1 && result.duplicated == 1 && result.off.isEmpty)
    }

    @Test("an account that is gone, one too many, and numbers beyond all bounds are no crash")
    func hostile() throws {
        let all = transfers(3)
        var balances = balances(after: all)
        balances[5] = nil
        balances[9] = .max
        balances[10] = .max
        let absurd = BankTransfer(number: .max, from: .min, to: 9, amount: .min)
        let result = result(all, balances: balances, held: all + [absurd])
        #expect(!result.isClean && result.off.contains(5) && result.off.contains(9))
        for line in ["", "a 1", "a 1 2 3", "t 1 2 3", "x 1 2", "a 1 99999999999999999999", "a  1"] {
            #expect(throws: KilnError.self, "\(line)") { try BankState([line], of: plan.name) }
        }
        #expect(throws: KilnError.self) { try BankState(["a 1 2", "a 1 3"], of: plan.name) }
        #expect(try BankState(["a 1 -2", "t 1 2 3 4"], of: plan.name).transfers.count == 1)
        #expect(BankTotal(["10 x"], at: .zero) == nil && BankTotal([], at: .zero) == nil)
    }

    @Test("a transfer is one transaction, the lower account first, so that no two wait for each other")
    func statements() {
        let text = BankStatements(plan).make(BankTransfer(number: 3, from: 4, to: 2, amount: 7))
        #expect(text.hasPrefix("BEGIN; UPDATE") && text.hasSuffix("COMMIT;") && !text.contains("\n"))
        let (low, high) = (text.firstRange(of: "(7) WHERE number = 2"), text.firstRange(of: "(-7) WHERE number = 4"))
        #expect(low.map(\.lowerBound).map { low in high.map { low < $0.lowerBound } ?? false } == true)
        #expect(text.contains("VALUES (3, 4, 2, 7)"))
    }

    @Test("what can't be is refused with what was expected")
    func refusals() throws {
        let with = { (accounts: Int, balance: Int, connections: Int) in
            BankPlan(
                name: self.plan.name,
                server: self.plan.server,
                table: self.plan.table,
                accounts: accounts,
                balance: balance,
                connections: connections
            ).refusal
        }
        #expect(plan.refusal == nil)
        #expect(with(1, 1, 1)?.contains("accounts") == true)
        #expect(with(2, 0, 1)?.contains("balance") == true)
        #expect(with(2, 1, 99)?.contains("connections") == true)
    }

    @Test("over sessions, a bank whose total is wrong while transfers are made turns red", .timeLimit(.minutes(2)))
    func session() async throws {
        let folder = try TemporaryDirectory()
        // From the tenth transfer on half of one is missing; the transfers themselves are all kept.
        let psql = try FakePSQL(
            folder,
            """
            case $line in
            *"INSERT INTO"*transfers*VALUES*) text=${line##*VALUES (}; text=${text%%)*}
                echo "t $text" | tr -d , >>"$rows" ;;
            "SELECT count"*) [ "$(wc -l <"$rows")" -lt 10 ] && echo 5 500 || echo 5 460 ;;
            "SELECT 'a"*) cat "$rows"; for number in 1 2 3 4 5; do echo "a $number 100"; done ;;
            esac
            """
        )
        let (login, program, start) = (try #require(plan.table).login, psql.program, ContinuousClock.now)
        let session = BankSession(plan, elapsed: { .now - start }) {
            try await SQLSession.open(login, port: 5432, program: program)
        }
        try await session.start()
        try await session.awaitTransfers(30)
        // The total is looked at ten times a second.
        try await Task.sleep(for: .milliseconds(500))
        let result = try await session.result(among: [StepSpan(name: "bank", start: .zero)])
        #expect(result.acknowledged >= 30 && result.lost == 0 && result.duplicated == 0, "\(result.description)")
        #expect(!result.isClean && result.wrong > 0 && result.firstWrong?.total == 460)
        #expect(result.firstWrong?.seen.step == "bank")
    }
}
