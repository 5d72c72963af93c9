import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnEngine

@Suite("Checks that take time")
struct CheckTimeTests {
    /// Answers in order; the last one stays.
    private final class Answers: Sendable {
        private let left: Mutex<[Bool]>
        private let count = Mutex(0)

        init(_ answers: Bool...) { left = Mutex(answers) }

        var asked: Int { count.withLock { $0 } }

        func next() -> [Assertion] {
            count.withLock { $0 += 1 }
            let holds = left.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
            return [
                Assertion(
                    subject: "a",
                    expected: "b",
                    found: "c",
                    outcome: holds ? .passed : .failed,
                    place: .booted,
                    seconds: 0
                )
            ]
        }
    }

    private let brief = Duration.milliseconds(1)

    private func holds(_ check: Check, _ answers: Answers) async throws -> Bool {
        try await check.assertions { _ in answers.next() }.allSatisfy { $0.outcome == .passed }
    }

    @Test("'eventually' asks until it holds, and 'always' until it does not")
    func time() async throws {
        let eventually = Check(.agent, eventually: Check.Eventually(within: .seconds(60), every: brief))
        let (late, lost) = (Answers(false, false, true), Answers(true, true, false, true))
        #expect(try await holds(eventually, late) && late.asked == 3)
        let always = Check(.agent, always: Check.Always(through: .seconds(60), every: brief))
        #expect(try await !holds(always, lost) && lost.asked == 3)
    }

    @Test("both end with their time, and one without them asks once")
    func ends() async throws {
        let eventually = Check(.agent, eventually: Check.Eventually(within: .milliseconds(20), every: brief))
        #expect(try await !holds(eventually, Answers(false)))
        let (steady, once) = (Answers(true), Answers(false))
        #expect(try await holds(Check(.agent, always: Check.Always(through: .milliseconds(20), every: brief)), steady))
        #expect(steady.asked > 1)
        #expect(try await !holds(Check(.agent), once) && once.asked == 1)
    }

    @Test("any holds where one of its probes does, in order; all where each does, and each is told")
    func several() async throws {
        let world = try LabTestWorld()
        try await world.up()
        world.world.guests.reply { arguments, _ in
            GuestCommandResult(status: arguments == ["/bin/true"] ? 0 : 1, output: [], errors: [])
        }
        let look = try world.engine.checks(on: world.id)
        let (good, bad) = (Probe.exec(["/bin/true"]), Probe.exec(["/bin/false"]))
        func outcomes(_ probe: Probe) async -> [Assertion.Outcome] {
            await look.assertions(Check(probe)).map(\.outcome)
        }
        #expect(await outcomes(.any([bad, good])) == [.passed])
        #expect(await outcomes(.any([bad, bad])) == [.failed])
        #expect(await outcomes(.all([bad, good])) == [.failed, .passed])
        #expect(await outcomes(.not(.any([bad, bad]))) == [.passed])
        let found = await look.assertions(Check(.any([bad, bad]))).first?.found
        #expect(found?.contains("exit status 1") == true, "\(found ?? "")")
    }
}
