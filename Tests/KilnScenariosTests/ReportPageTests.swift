import Foundation
import KilnModel
import Testing

@testable import KilnEngine
@testable import KilnScenarios

@Suite("The page of a report")
struct ReportPageTests {
    private let hostile = "<script>alert(1)</script>\u{1b}[31m\u{202e}\"'&{{head}}\0"

    private func html(_ report: ScenarioReport, _ change: (inout RunHistory) throws -> Void = { _ in }) throws -> String
    {
        var run = RunHistory(report)
        try change(&run)
        return try ReportPage([run]).html()
    }

    private func texts(_ tag: String, in html: String) throws -> [String] {
        html.matches(of: try Regex("<\(tag)[^>]*>(.*?)</\(tag.prefix { $0 != " " })>")).map {
            String($0.output[1].substring ?? "")
        }
    }

    @Test("nothing that a guest, a file or an error says becomes markup, and all of it is printable")
    func escaping() throws {
        let steps = [
            ReportFixture.step(
                [1],
                hostile,
                .failed,
                detail: hostile + String(decoding: [0xff, 0xfe] as [UInt8], as: UTF8.self)
            )
        ]
        let report = try ReportFixture.report(
            .failed,
            exit: .unmet,
            steps: steps,
            phases: [try ReportFixture.phase(hostile, 0, 10, failed: true)],
            error: KilnError(.runUnmet, hostile, hint: hostile, exit: .unmet)
        )
        let page = try html(report) { run in
            let web = try Name("web")
            run.consoles = [ConsoleExcerpt(server: web, generation: Generation(2), text: hostile)]
            run.turns = [.init(ms: 5, server: web, text: hostile)]
        }
        #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(!page.contains("<script") && !page.contains("[31m"))
        #expect(page.contains("{{head}}"), "what a guest says is no gap of the template either")
        #expect(page.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
        #expect(!page.unicodeScalars.contains("\u{202e}"))
    }

    @Test("the template escapes every gap, needs no script and asks nobody for anything")
    func template() {
        #expect(!PageTemplate.text.contains("{{{") && !PageTemplate.text.contains("{{&"))
        #expect(!PageTemplate.text.contains("<script") && !PageTemplate.text.contains("src="))
        #expect(PageTemplate.text.contains("default-src 'none'"))
        #expect(!PageStyle.text.contains { "<>&\"'".contains($0) } && !PageStyle.text.contains("http"))
    }

    @Test("verdict, lost, longest gap and first cause come before everything else")
    func first() throws {
        let inner = ReportFixture.step([2, 1], "read", .failed, 900, 1_000, detail: "2 expected, 1 found\nmore")
        let steps = [
            ReportFixture.step([1], "up web", .passed, 0, 900),
            ReportFixture.step([2], "retry", .failed, 900, 1_000, detail: "2 expected, 1 found", children: [inner]),
            ReportFixture.step([3], "down", .skipped, 1_000, 1_000),
        ]
        let page = try html(try ReportFixture.report(.failed, exit: .unmet, steps: steps))
        #expect(try texts("h2", in: page) == [#"<span class="mark">✗</span> Failed: 2 expected, 1 found"#])
        #expect(try texts("dd", in: page) == ["0 of 412", "8.4 s", "1.0 s", "2 expected, 1 found"])
        let order = ["class=\"verdict\"", "tile lost", "tile gap", "tile cause", "class=\"picture\"", "class=\"list\""]
        let places = order.compactMap { page.range(of: $0)?.lowerBound }
        #expect(places.count == order.count && places == places.sorted())
        #expect(page.contains("a.yaml:7:5") && page.contains("not reached"))
        #expect(page.components(separatedBy: "<li class=\"step ").count - 1 == 4)
    }

    @Test(
        "the verdict is a sentence that tells the ends apart",
        arguments: [
            (ScenarioReport.Outcome.passed, ExitCode.done, 0, "Passed: all 412 acknowledged records"),
            (.failed, .dataLoss, 3, "Lost data: of 412 acknowledged records 3 are lost"),
            (.failed, .reverted, 0, "Reverted: it broke"), (.failed, .halted, 0, "Halted: somebody has to decide"),
            (.error, .unreachable, 0, "Could not be carried out: it broke"),
        ]
    )
    func sentences(_ outcome: ScenarioReport.Outcome, _ exit: ExitCode, _ lost: Int, _ begin: String) throws {
        let error = outcome == .passed ? nil : KilnError("a.b", "it broke", exit: exit)
        let report = try ReportFixture.report(outcome, exit: exit, lost: lost, steps: [], error: error)
        #expect(RunVerdict(RunHistory(report)).sentence.hasPrefix(begin))
    }

    @Test("a row for each generation, on one axis with steps, faults, what users saw and what was acknowledged")
    func picture() throws {
        let web = try Name("web")
        let plan = AvailabilityPlan(HTTPProbe(port: try Name("http"), path: "/"), port: 1)
        let samples = (0..<40).map { number in
            AvailabilitySample(
                number: number,
                connection: .new,
                due: .milliseconds(50 * number),
                ended: .milliseconds(50 * number + (number == 5 ? 900 : 5)),
                outcome: (10..<20).contains(number) ? .failed(.refused) : .answered(version: number < 10 ? "1" : "2")
            )
        }
        let log = AvailabilityLog(plan: plan, samples: samples, work: .milliseconds(500)..<(.milliseconds(1_000)))
        let report = try ReportFixture.report(
            steps: [
                ReportFixture.step([1], "up", .passed, 0, 2_000),
                ReportFixture.step([2], "cut the power", .passed, 2_000, 4_000, kind: "fault"),
            ],
            phases: [
                try ReportFixture.phase("START", 0, 1_000), try ReportFixture.phase("COMMIT", 1_000, 10),
                try ReportFixture.phase("STOP", generation: 2, 2_000, 500),
                try ReportFixture.phase("HEALTHY", generation: 2, 2_500, 1_000, failed: true),
                try ReportFixture.phase("STOP-NEW", generation: 2, 3_500, 100),
            ]
        )
        let page = try html(report) { run in
            run.strips = [AvailabilityStrip(log, of: web, origin: .milliseconds(2_000))]
            run.curves = [
                .init(ledger: web, server: web, points: [.init(ms: 0, total: 0), .init(ms: 4_000, total: 9)])
            ]
        }
        let labels = page.matches(of: #/<div class="label">([^<]*)<small>([^<]*)/#).map { "\($0.1)\($0.2)" }
        #expect(
            labels == [
                "Steps 2 of the file", "Faults and turns ", "web generation 1", "web generation 2",
                "web what users saw",
                "Ledger web acknowledged on web",
            ]
        )
        #expect(
            page.contains("⚡ cut the power at 2.0 s") && page.contains("✗ HEALTHY 1.0 s") && page.contains("↩ STOP-NEW")
        )
        #expect(page.contains("answered 29</li><li>held 1</li><li>failed 10</li><li>version 1</li><li>version 2"))
        // Half of the axis on, and told by its height and stripes, not by its colour alone.
        #expect(page.contains(#"<rect x="625" y="2" width="125" height="26" class="failed""#))
        #expect(page.contains(#"<polyline points="0,28 1000,2"/>"#))
        #expect(page.contains("1.0 s</span><span>2.0 s</span>"))
    }

    @Test("of ten thousand steps the page shows what failed, says what it left out, and stays below 2 MB")
    func size() throws {
        let long = String(repeating: "<\u{301}\u{301}é\"", count: 2_000)
        let steps = (1...10_000).map { number in
            ReportFixture.step([number], long, number > 9_000 ? .failed : .passed, number, number + 1, detail: long)
        }
        let phases = try (1...3_000).map { try ReportFixture.phase(long, generation: $0 / 10, $0, 1) }
        let report = try ReportFixture.report(.failed, exit: .unmet, steps: steps, phases: phases)
        let page = try html(report) { run in
            let web = try Name("web")
            run.turns = (1...1_000).map { .init(ms: $0, server: web, text: long) }
            run.consoles = (1...50).map { ConsoleExcerpt(server: web, generation: Generation($0), text: long) }
            run.curves = [.init(ledger: web, server: web, points: (1...9_999).map { .init(ms: $0, total: $0) })]
        }
        #expect(page.utf8.count < 2_000_000, "\(page.utf8.count)")
        #expect(page.contains("<b>9001</b>") && page.contains("more steps are not shown"))
    }

    @Test("several runs are one page, those that did not pass first")
    func several() throws {
        let good = RunHistory(try ReportFixture.report(steps: []))
        let bad = RunHistory(try ReportFixture.report(.failed, exit: .dataLoss, lost: 1, steps: []))
        let page = try ReportPage([good, bad] + Array(repeating: good, count: 98)).html()
        #expect(page.contains("<h1>100 runs</h1>") && page.contains("<a href=\"#part-1\">✗ keeps-data: Lost data"))
        #expect(page.components(separatedBy: "<section ").count - 1 == ReportPage.mostSections)
        #expect(page.utf8.count < 2_000_000)
    }

    @Test("a journal's replacements each have a row from their own beginning")
    func server() throws {
        let id = MemberID(lab: try Name("shop"), server: try Name("web"))
        let digest = try #require(ImageDigest(String(repeating: "a", count: 64)))
        func record(_ event: JournalEvent) -> JournalRecord { JournalRecord(time: .distantPast, pid: 1, event: event) }
        let turn = TurnBack(
            direction: .revert,
            step: .healthy,
            code: "a.b",
            reason: "it <b>never</b> was",
            cause: hostile
        )
        let events: [JournalEvent] = [
            .began(Intent(number: 1, from: nil, to: Generation(1), image: "tiny:1", digest: digest)),
            .completed(.start, milliseconds: 1_000), .completed(.commit, milliseconds: 10),
            .ended(.committed, reason: nil),
            .began(Intent(number: 2, from: Generation(1), to: Generation(2), image: "tiny:2", digest: digest)),
            .completed(.start, milliseconds: 2_000), .turnedBack(turn), .completed(.stopNew, milliseconds: 100),
            .ended(.reverted, reason: nil),
        ]
        let page = try ReportPage(id, ServerHistory(events.map(record))).html()
        #expect(try texts("h2", in: page) == [#"<span class="mark">✓</span> Generation 1 serves, from tiny:1"#])
        #expect(page.contains("<small>2: generation 2</small>") && page.contains("✗ HEALTHY"))
        #expect(page.contains("it &lt;b&gt;never&lt;/b&gt; was") && !page.contains("<script"))
    }

    @Test("what an autopilot decided about a server stands on its page, with its figures")
    func autopilot() throws {
        let id = MemberID(lab: try Name("shop"), server: try Name("web"))
        let figures = AutoscaleFigures(load: 80, serving: 2, target: .requests(20), window: .seconds(20))
        let move = AutoscaleMove(id.whole, from: 2, to: 4, figures: figures)
        let failure = AutopilotFailure(.readyTimeout, "it <b>never</b> was ready")
        let records = [
            AutopilotRecord(.scaling(move, at: .seconds(1))),
            AutopilotRecord(.ended(id, .failed(failure), at: .seconds(2))),
        ]
        let page = try ReportPage(id, ServerHistory([]), autopilot: records).html()
        #expect(page.contains("2 members answered 40 requests a second each, for 20 s; 20 are wanted, so 4 would do"))
        #expect(page.contains("that did not help: it &lt;b&gt;never&lt;/b&gt; was ready"))
    }
}
