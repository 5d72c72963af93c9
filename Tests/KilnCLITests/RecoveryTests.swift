import Foundation
import KilnEngine
import KilnModel
import Testing

@testable import KilnCLI

@Suite("Recovering every server")
struct RecoveryTests {
    private let held = KilnError(.lockHeld, "server shop/db is being changed", hint: "wait", exit: .blocked)
    private let halted = KilnError(.replaceHalted, "shop/web is halted", exit: .halted)
    private let odd = KilnError(.toolFailed, "qemu-img ended with exit status 1", exit: .internalError)

    /// Recovers the servers in this order; those without an entry have nothing to recover.
    private func recover(
        _ names: [String],
        _ answers: [String: Result<ReplacementReport, any Error>]
    ) async throws -> ServerRound<ReplacementReport> {
        await ServerRound.over(try names.map { try Fixtures.id("shop", $0) }) {
            try answers[$0.server.text]?.get()
        }
    }

    private func conclude(_ round: ServerRound<ReplacementReport>, _ session: Session) throws -> Int32 {
        try round.conclude(session, showing: RecoveryResult(round: round))
    }

    private func exit(_ errors: [any Error]) async throws -> Int32 {
        let names = errors.indices.map { "s\($0)" }
        let answers = zip(names, errors).map { ($0, Result<ReplacementReport, any Error>.failure($1)) }
        let round = try await recover(names, Dictionary(uniqueKeysWithValues: answers))
        return try conclude(round, RecordedSession().session())
    }

    @Test("a server that can't be recovered keeps no other from it; everything is shown, and the worst decides")
    func goesOn() async throws {
        let last = try Fixtures.report(.reverted, server: "zoo")
        let round = try await recover(
            ["aux", "db", "web", "zoo"],
            ["aux": .failure(odd), "db": .failure(held), "web": .failure(halted), "zoo": .success(last)]
        )
        let recorded = RecordedSession()
        #expect(try conclude(round, recorded.session()) == 13)
        #expect(recorded.output == "shop/zoo: reverted; generation 1 serves again (stop-first, 1.3 s)\n")
        #expect(
            recorded.errors == """
                shop/aux can't be recovered:
                error: qemu-img ended with exit status 1
                error: server shop/db is being changed
                next: wait
                error: shop/web is halted

                """
        )
    }

    @Test("programs read one document with what was recovered, what was not, and the error that decided")
    func json() async throws {
        let last = try Fixtures.report(.committed, server: "zoo")
        let round = try await recover(["db", "zoo"], ["db": .failure(held), "zoo": .success(last)])
        let recorded = RecordedSession()
        #expect(try conclude(round, recorded.session(.json)) == 12)
        let read = try JSONDecoder().decode(Document.self, from: Data(recorded.output.utf8))
        #expect(read.recovered.map(\.outcome) == ["committed"])
        #expect(read.failed.map(\.server) == [try Fixtures.id("shop", "db")])
        #expect(read.failed.map(\.error.code) == ["lock.held"] && read.error?.code == "lock.held")
    }

    @Test("without a failure the exit code is 0, and there is no error in the document")
    func clean() async throws {
        let (plain, json) = (RecordedSession(), RecordedSession())
        let round = try await recover(["db"], [:])
        #expect(try conclude(round, plain.session()) == 0)
        #expect(plain.output == "nothing was interrupted\n" && plain.errors.isEmpty)
        #expect(try conclude(round, json.session(.json)) == 0)
        #expect(try JSONDecoder().decode(Document.self, from: Data(json.output.utf8)).error == nil)
    }

    @Test("halted comes before blocked, and blocked before the first of the rest")
    func order() async throws {
        let deadline = KilnError(.toolDeadline, "qemu-img was killed", exit: .deadline)
        #expect(try await exit([held, halted, odd]) == 13)
        #expect(try await exit([odd, held]) == 12)
        #expect(try await exit([deadline, odd]) == 75)
    }

    @Test("an interruption ends the round, with what was done until then")
    func interrupted() async throws {
        let done = try Fixtures.report(.committed, server: "aux")
        let round = try await recover(
            ["aux", "db", "web"],
            ["aux": .success(done), "db": .failure(CancellationError()), "web": .failure(halted)]
        )
        #expect(round.values.count == 1 && round.failures.count == 1)
        #expect(try conclude(round, RecordedSession().session()) == 130)
    }

    @Test("a dry run tells of every server, also after one whose records can't be read")
    func dryRun() async throws {
        let round = await ServerRound.over([try Fixtures.id("shop", "db"), try Fixtures.id("shop", "web")]) { id in
            if id.server.text == "db" { throw odd }
            return RecoveryPlans.Plan(server: id, plan: "nothing to recover")
        }
        let recorded = RecordedSession()
        #expect(try round.conclude(recorded.session(), showing: RecoveryPlans(round: round)) == 70)
        #expect(recorded.output.contains("shop/web") && recorded.errors.contains("shop/db can't be recovered"))
    }

    private struct Document: Decodable {
        struct Report: Decodable { let outcome: String }
        struct Problem: Decodable { let code: String }
        struct Failure: Decodable {
            let server: MemberID
            let error: Problem
        }

        let recovered: [Report]
        let failed: [Failure]
        let error: Problem?
    }
}
