import KilnModel
import Testing

@testable import KilnScenarios

@Suite("What became of a ledger, since when, and why")
struct LedgerResultTests {
    private let steps = [
        StepSpan(name: "up all", start: .seconds(0), end: .seconds(10)),
        StepSpan(name: "write-ledger orders", start: .seconds(10), end: .seconds(11)),
        StepSpan(name: "parallel", start: .seconds(20), end: .seconds(40)),
        StepSpan(name: "replace web", start: .seconds(21), end: .seconds(30)),
    ]

    @Test(
        "a moment is told relative to the step that went on, or that had ended",
        arguments: [
            (25_000, "4000 ms into 'replace web'"), (35_000, "15000 ms into 'parallel'"),
            (15_000, "4000 ms after 'write-ledger orders'"), (41_500, "1500 ms after 'parallel'"),
            (20_000, "0 ms into 'parallel'"),
        ]
    )
    func moments(milliseconds: Int, words: String) {
        #expect(LedgerMoment(.milliseconds(milliseconds), among: steps).description == words)
    }

    @Test("before the first step, and in one that has not ended")
    func edges() {
        #expect(LedgerMoment(.milliseconds(7), among: []).description == "7 ms into the run")
        let open = [StepSpan(name: "replace web", start: .seconds(1))]
        #expect(LedgerMoment(.seconds(5), among: open).description == "4000 ms into 'replace web'")
    }

    private func record(_ number: UInt64) -> Acknowledgement { Acknowledgement(number: number, checksum: 7) }

    /// Twenty records, one a second from second 20 on, with these faults.
    private func result(_ faults: [UInt64: LedgerFault], _ facts: LedgerFacts?) throws -> LedgerResult {
        let faults = Dictionary(uniqueKeysWithValues: faults.map { (record($0.key), $0.value) })
        let times = (1...20).map { (record($0), Duration.seconds(20 + Int($0))) }
        return LedgerResult(
            name: try Name("orders"),
            server: try Name("web"),
            finding: LedgerFinding(acknowledged: 20, faults: faults, unacknowledged: 1),
            times: Dictionary(uniqueKeysWithValues: times),
            steps: steps,
            facts: facts
        )
    }

    private func lost(_ numbers: ClosedRange<UInt64>, _ facts: LedgerFacts) throws -> LedgerLoss.Cause? {
        try result(Dictionary(uniqueKeysWithValues: numbers.map { ($0, .lost) }), facts).likely?.cause
    }

    @Test("the first bad record is the one that was acknowledged first")
    func first() throws {
        let result = try result([9: .torn, 5: .duplicated, 12: .lost], nil)
        #expect(result.firstBad?.number == 5 && result.firstBad?.fault == .duplicated)
        #expect(result.firstBad?.acknowledged?.description == "4000 ms into 'replace web'")
        #expect(result.verdict.lost == 1 && result.verdict.torn == 1 && result.verdict.duplicated == 1)
        #expect(result.description.contains("first duplicated: record 5, acknowledged 4000 ms into 'replace web'"))
    }

    @Test("a clean ledger has no bad record and no cause, whatever was recorded")
    func clean() throws {
        let result = try result([:], LedgerFacts(reformatted: try Name("before-format")))
        #expect(result.firstBad == nil && result.likely == nil && result.verdict.isClean)
    }

    @Test("records that went to another volume")
    func wrongVolume() throws {
        let facts = LedgerFacts(written: VolumeID(), read: VolumeID(), reformatted: try Name("before-format"))
        #expect(try lost(1...20, facts) == .wrongVolume)
        let same = VolumeID()
        #expect(try lost(1...20, LedgerFacts(written: same, read: same)) == nil)
    }

    @Test("a format takes all from before it; where an older record is there it was none")
    func reformatted() throws {
        let facts = LedgerFacts(reformatted: try Name("before-format"))
        #expect(try lost(1...12, facts) == .reformatted)
        #expect(try lost(3...12, facts) == nil)
    }

    @Test("a return to a snapshot takes what came between the snapshot and the return")
    func restored() throws {
        let snapshot = try Name("kept")
        let facts = LedgerFacts(
            reformatted: try Name("before-format"),
            restorations: [.init(snapshot: snapshot, taken: .seconds(25), restored: .seconds(33), kept: "lab-data-1")]
        )
        #expect(try lost(6...12, facts) == .restored)
        let reason = try result([6: .lost, 12: .lost], facts).likely?.reason
        #expect(reason?.contains("'kept'") == true && reason?.contains("'lab-data-1'") == true)
        // Record 2 is older than the snapshot, and record 15 is younger than the return.
        #expect(try lost(2...12, facts) == nil)
        #expect(try lost(6...15, facts) == nil)
        // Record 12 was there before the return, too, and it is still there.
        #expect(try lost(6...11, facts) == nil)
        let unknown = LedgerFacts(restorations: [.init(snapshot: snapshot)])
        #expect(try lost(6...20, unknown) == .restored)
    }

    @Test("a record that a machine wrote below the mount point is hidden by the volume")
    func hidden() throws {
        let machine = MemberID(lab: try Name("lab"), server: try Name("web")).machine(Generation(2))
        let path = try #require(RootPath("/data/ledger"))
        let facts = { LedgerFacts(file: $0, hidden: [.init(machine: machine, path: path)]) }
        #expect(try lost(6...9, facts("/data/ledger")) == .hidden)
        #expect(try lost(6...9, facts("/data/other")) == nil)
        #expect(try lost(6...9, facts(nil)) == .hidden)
    }

    @Test("what nothing explains has no likely cause")
    func unexplained() throws { #expect(try lost(6...9, LedgerFacts()) == nil) }

    @Test("a plan that can't be carried out says what is wrong with it")
    func refusals() throws {
        let (name, port) = (try Name("orders"), try Name("http"))
        let refusal = { (path: LedgerPlan.Path, rate: Int?, connections: Int) in
            LedgerPlan(name: name, server: name, path: path, rate: rate, connections: connections).refusal
        }
        let service = { (method: LedgerService.Method, path: String) in
            LedgerPlan.Path.http(LedgerService(port: port, method: method, path: path, contents: .file("/data/x")))
        }
        #expect(refusal(.agent(file: "/data/x"), nil, 1) == nil)
        #expect(refusal(.agent(file: "/data/x"), nil, 2)?.contains("only one") == true)
        #expect(refusal(service(.post, "/notes"), 1_000, 16) == nil)
        #expect(refusal(service(.post, "/notes"), 0, 1)?.contains("rate") == true)
        #expect(refusal(service(.post, "/notes"), 10, 17)?.contains("connections") == true)
        #expect(refusal(service(.post, "notes"), 10, 1)?.contains("path") == true)
        #expect(refusal(service(.post, "/a b"), 10, 1)?.contains("path") == true)
        #expect(refusal(service(.put, "/notes"), 10, 1)?.contains("{number}") == true)
        #expect(refusal(service(.put, "/notes/{number}"), 10, 1) == nil)
    }
}
