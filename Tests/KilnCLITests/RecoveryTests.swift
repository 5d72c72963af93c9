import Foundation
import KilnEngine
import KilnModel
import Testing

@testable import KilnCLI

@Suite("Recovering every server")
struct RecoveryTests {
    private let held = KilnError("lock.held", "server shop/db is being changed", hint: "wait", exit: .blocked)
    private let halted = KilnError("replace.halted", "shop/web is halted", exit: .halted)
    private let odd = KilnError("tool.failed", "qemu-img ended with exit status 1", exit: .internalError)

    /// Recovers the servers in this order; those without an entry have nothing to recover.
    private func recover(
        _ names: [String],
        _ answers: [String: Result<ReplacementReport, any Error>]
    ) async throws -> RecoveryResult {
        await RecoveryResult.recovering(try names.map { try Fixtures.id("shop", $0) }) {
            try answers[$0.server.text]?.get()
        }
    }

    private func exit(_ errors: [any Error]) async throws -> Int32 {
        let names = errors.indices.map { "s\($0)" }
        let answers = zip(names, errors).map { ($0, Result<ReplacementReport, any Error>.failure($1)) }
        let result = try await recover(names, Dictionary(uniqueKeysWithValues: answers))
        return try result.conclude(RecordedSession().session())
    }

    @Test("a server that can't be recovered keeps no other from it; everything is shown, and the worst decides")
    func goesOn() async throws {
        let last = try Fixtures.report(.reverted, server: "zoo")
        let result = try await recover(
            ["aux", "db", "web", "zoo"],
            ["aux": .failure(odd), "db": .failure(held), "web": .failure(halted), "zoo": .success(last)]
        )
        let recorded = RecordedSession()
        #expect(try result.conclude(recorded.session()) == 13)
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
        let result = try await recover(["db", "zoo"], ["db": .failure(held), "zoo": .success(last)])
        let recorded = RecordedSession()
        #expect(try result.conclude(recorded.session(.json)) == 12)
        let read = try JSONDecoder().decode(Document.self, from: Data(recorded.output.utf8))
        #expect(read.recovered.map(\.outcome) == ["committed"])
        #expect(read.failed.map(\.server) == [try Fixtures.id("shop", "db")])
        #expect(read.failed.map(\.error.code) == ["lock.held"] && read.error?.code == "lock.held")
    }

    @Test("without a failure the exit code is 0, and there is no error in the document")
    func clean() async throws {
        let (plain, json) = (RecordedSession(), RecordedSession())
        let result = try await recover(["db"], [:])
        #expect(try result.conclude(plain.session()) == 0)
        #expect(plain.output == "nothing was interrupted\n" && plain.errors.isEmpty)
        #expect(try result.conclude(json.session(.json)) == 0)
        #expect(try JSONDecoder().decode(Document.self, from: Data(json.output.utf8)).error == nil)
    }

    @Test("halted comes before blocked, and blocked before the first of the rest")
    func order() async throws {
        let deadline = KilnError("tool.deadline", "qemu-img was killed", exit: .deadline)
        #expect(try await exit([held, halted, odd]) == 13)
        #expect(try await exit([odd, held]) == 12)
        #expect(try await exit([deadline, odd]) == 75)
    }

    @Test("an interruption ends the round, with what was done until then")
    func interrupted() async throws {
        let done = try Fixtures.report(.committed, server: "aux")
        let result = try await recover(
            ["aux", "db", "web"],
            ["aux": .success(done), "db": .failure(CancellationError()), "web": .failure(halted)]
        )
        #expect(result.reports.count == 1 && result.failures.count == 1)
        #expect(try result.conclude(RecordedSession().session()) == 130)
    }

    private struct Document: Decodable {
        struct Report: Decodable { let outcome: String }
        struct Problem: Decodable { let code: String }
        struct Failure: Decodable {
            let server: ServerID
            let error: Problem
        }

        let recovered: [Report]
        let failed: [Failure]
        let error: Problem?
    }
}
