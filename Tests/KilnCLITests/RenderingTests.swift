import Foundation
import KilnHost
import KilnModel
import KilnScenarios
import KilnStore
import Testing

@testable import KilnCLI
@testable import KilnEngine

@Suite("Rendering")
struct RenderingTests {
    @Test("servers are a table that tells what a person has to know")
    func serverTable() throws {
        let list = ServerList(servers: [
            try Fixtures.status("db", generation: nil, state: .absent),
            try Fixtures.status(
                "web",
                generation: 12,
                operation: ServerStatus.OpenOperation(number: 3, step: .healthy, pid: 77)
            ),
            try Fixtures.status("cache", operation: ServerStatus.OpenOperation(number: 2, step: .stop, pid: nil)),
            try Fixtures.status("queue", state: .off, isHalted: true),
        ])
        #expect(
            try Renderer.text(list, as: .table) == """
                SERVER      GEN  STATE                                        IMAGE   PORTS
                shop/db     -    absent                                       -       -
                shop/web    12   running, operation 3 at healthy (pid 77)     tiny:1  http 127.0.0.1:20080→80
                shop/cache  1    running, operation 2 interrupted at stop     tiny:1  http 127.0.0.1:20080→80
                shop/queue  1    halted (off); see 'kiln history shop/queue'  tiny:1  http 127.0.0.1:20080→80

                """
        )
    }

    @Test("servers are JSON whose keys stay")
    func serverJSON() throws {
        let text = try Renderer.text(ServerList(servers: [try Fixtures.status("web")]), as: .json)
        #expect(
            text == """
                {
                  "servers" : [
                    {
                      "age_seconds" : 60,
                      "due" : false,
                      "generation" : 1,
                      "halted" : false,
                      "image" : {
                        "digest" : "sha256:\(String(repeating: "ab", count: 32))",
                        "name" : "tiny",
                        "version" : "1"
                      },
                      "instance_id" : "i-1",
                      "lab" : "shop",
                      "name" : "web",
                      "networks" : {

                      },
                      "ports" : {
                        "http" : {
                          "guest" : 80,
                          "host" : 20080,
                          "protocol" : "tcp"
                        }
                      },
                      "state" : "running",
                      "volumes" : {
                        "data" : "/data"
                      },
                      "way" : "agent"
                    }
                  ]
                }

                """
        )
    }

    @Test("an empty list says so")
    func empty() throws {
        #expect(try Renderer.text(ServerList(servers: []), as: .table) == "no servers\n")
        #expect(
            try Renderer.text(VolumeList(volumes: [], retained: [], reformatted: [:]), as: .table) == "no volumes\n"
        )
    }

    @Test("a committed replacement says what serves")
    func committed() throws {
        let result = ReplacementResult(report: try Fixtures.report(.committed))
        #expect(
            try Renderer.text(result, as: .table)
                == "shop/web: generation 2 serves; generation 1 is gone (stop-first, 1.3 s)\n"
        )
    }

    @Test("a reverted replacement says why, and where the evidence is")
    func reverted() throws {
        let turn = TurnBack(direction: .revert, step: .healthy, code: .readyTimeout, reason: "no\u{1b}[1m answer")
        let result = ReplacementResult(report: try Fixtures.report(.reverted, turn: turn, evidence: "/evidence/1"))
        #expect(
            try Renderer.text(result, as: .table) == """
                shop/web: reverted; generation 1 serves again (stop-first, 1.3 s)
                why: healthy failed: no\\u{1b}[1m answer [ready.timeout]
                evidence: /evidence/1

                """
        )
    }

    @Test("the time of a revert is that of the whole replacement, with the way back by itself")
    func revertTime() throws {
        var turn = TurnBack(direction: .revert, step: .healthy, code: .readyTimeout, reason: "no answer")
        turn.milliseconds = 60_000
        let report = try Fixtures.report(.reverted, turn: turn, last: .startOld)
        let text = try Renderer.text(ReplacementResult(report: report), as: .table)
        #expect(
            text.hasPrefix(
                "shop/web: reverted; generation 1 serves again (stop-first, 61.3 s, of which the way back 1.3 s)\n"
            )
        )
        let json = try Renderer.text(ReplacementResult(report: report), as: .json)
        #expect(json.contains(#""milliseconds" : 61300"#) && json.contains(#""milliseconds_back" : 1260"#))
    }

    @Test("data that a revert discarded is named, and a first machine has no strategy")
    func discarded() throws {
        let turn = TurnBack(direction: .revert, step: .verify, code: .verifyFailed, reason: "no answer")
        let report = try Fixtures.report(.reverted, turn: turn, strategy: .warmFirst, discarded: ["shop.data.7"])
        #expect(
            try Renderer.text(ReplacementResult(report: report), as: .table) == """
                shop/web: reverted; generation 1 serves again (warm-first, 1.3 s)
                why: verify failed: no answer [verify.failed]
                retained: what was written since, as the volume shop.data.7; see 'kiln volume list'

                """
        )
        let unmeasured = ReplacementResult(
            report: try Fixtures.report(.committed),
            unmeasured: "it has no 'http' probe"
        )
        let told = "note: how long it was unavailable was not measured: it has no 'http' probe"
        #expect(try Renderer.text(unmeasured, as: .table).contains(told))
        let first = ReplacementResult(report: try Fixtures.report(.committed, from: nil))
        #expect(try Renderer.text(first, as: .table) == "shop/web: generation 2 serves (1.3 s)\n")
    }

    @Test("what a volume hid is a note where the replacement went well, and why it aborted with what to do next")
    func hiddenData() throws {
        let committed = ReplacementResult(report: try Fixtures.report(.committed, reason: "/data/lost is hidden"))
        #expect(try Renderer.text(committed, as: .table).hasSuffix("\nnote: /data/lost is hidden\n"))
        let turn = TurnBack(
            direction: .abort,
            step: .snapshot,
            code: .replaceHiddenData,
            reason: "/data/lost is hidden",
            hint: "take it out"
        )
        let aborted = ReplacementResult(report: try Fixtures.report(.aborted, turn: turn))
        #expect(
            try Renderer.text(aborted, as: .table).hasSuffix(
                "\nwhy: snapshot failed: /data/lost is hidden [replace.hidden-data]\nnext: take it out\n"
            )
        )
    }

    @Test("a halted replacement names the commands that lead out")
    func halted() throws {
        let report = try Fixtures.report(.halted, reason: "the data is damaged", last: .handover)
        let result = ReplacementResult(report: report)
        #expect(
            try Renderer.text(result, as: .table) == """
                shop/web: halted; nothing was deleted (stop-first, 1.3 s)
                why: the data is damaged
                next: try the way back again with 'kiln recover shop/web'
                or with the volumes as they were before the replacement: 'kiln recover shop/web --data restore'
                or give the machines up and keep the volumes with 'kiln down shop'

                """
        )
        // Before the handover nobody has written to what would be restored.
        let early = ReplacementResult(report: try Fixtures.report(.halted, reason: "it is held", last: .proveOff))
        #expect(try !Renderer.text(early, as: .table).contains("--data restore"))
    }

    @Test("a server of which nothing can be known says why")
    func unknown() throws {
        let list = ServerList(servers: [try Fixtures.status("web", generation: nil, problem: "torn\u{1b}[2J")])
        #expect(try Renderer.text(list, as: .table).contains("unknown: torn"))
        #expect(try !Renderer.text(list, as: .table).contains("\u{1b}"))
    }

    @Test("a server that is due says how old it is, and can be listed alone")
    func due() throws {
        let servers = [
            try Fixtures.status("web", age: 31 * 86_400, isDue: true), try Fixtures.status("db", age: 40 * 86_400),
        ]
        #expect(
            try Renderer.text(ServerList(due: servers), as: .table) == """
                SERVER    GEN  STATE                    IMAGE   PORTS
                shop/web  1    running, due (31 d old)  tiny:1  http 127.0.0.1:20080→80

                """
        )
        #expect(try Renderer.text(ServerList(due: []), as: .table) == "no server is due to be replaced\n")
    }

    @Test("what did not pass is said of a server, and where its channel points by now")
    func standing() throws {
        var server = try Fixtures.status("web", isDue: true)
        let stable = ImageReference(name: try Name("tiny"), selector: .channel(try Name("stable")))
        let digest = try Fixtures.digest()
        server.standing = GenerationStanding(tests: .untested, revoked: nil, configuration: .untested)
        server.moved = MovedChannel(
            channel: stable,
            image: ServerStatus.Image(name: try Name("tiny"), version: "2", digest: digest)
        )
        let text = try Renderer.text(ServerList(due: [server]), as: .table)
        let due = "due: tiny@stable is now tiny:2 (\(digest.short))"
        #expect(text.contains("running, untested, configuration untested, \(due)"), "\(text)")
        server.standing = GenerationStanding(tests: .passed, revoked: "a hole", configuration: .passed)
        #expect(try Renderer.text(ServerList(servers: [server]), as: .table).contains("running, revoked, due"))
    }

    @Test("a report says what serves now and did not pass")
    func reportStanding() throws {
        var report = try Fixtures.report(.committed)
        report.image = ServerStatus.Image(name: try Name("tiny"), version: "2", digest: try Fixtures.digest())
        report.standing = GenerationStanding(tests: .untested, revoked: "a\u{1b}hole", configuration: .untested)
        let text = try Renderer.text(ReplacementResult(report: report), as: .table)
        for line in [
            "note: its image tiny:2 is untested: 'kiln image test tiny:2'", "note: its image tiny:2 is revoked: a",
            "note: its configuration is untested: 'kiln replace shop/web --rehearse' tries it",
        ] { #expect(text.contains(line), "\(text)") }
        #expect(!text.contains("\u{1b}"))
        report.standing = GenerationStanding(tests: .passed, revoked: nil, configuration: .elsewhere)
        #expect(try !Renderer.text(ReplacementResult(report: report), as: .table).contains("note:"))
    }

    @Test("a replacement's JSON carries its exit code")
    func replacementJSON() throws {
        let text = try Renderer.text(ReplacementResult(report: try Fixtures.report(.committed)), as: .json)
        #expect(
            text == """
                {
                  "discarded" : [

                  ],
                  "exit" : 0,
                  "from" : 1,
                  "milliseconds" : 1300,
                  "milliseconds_back" : null,
                  "outcome" : "committed",
                  "server" : {
                    "lab" : "shop",
                    "server" : "web"
                  },
                  "steps" : [
                    {
                      "milliseconds" : 40,
                      "step" : "plan"
                    },
                    {
                      "milliseconds" : 1260,
                      "step" : "prepare"
                    }
                  ],
                  "strategy" : "stop-first",
                  "to" : 2,
                  "unavailable_ms" : null
                }

                """
        )
    }

    @Test("a replacement that was watched shows its phases as bars on one axis, and how long nobody answered")
    func watchedReplacement() throws {
        let web = try Name("web")
        let phases = [("STOP", 0, 3000), ("START", 3000, 1000)].map { phase, start, length in
            ScenarioReport.Phase(server: web, operation: "generation 2", phase: phase, startMS: start, ms: length)
        }
        let result = ReplacementResult(
            report: try Fixtures.report(.committed),
            phases: phases,
            unavailable: .milliseconds(3900)
        )
        let lines = try Renderer.text(result, as: .table).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0].hasPrefix("web generation 2 STOP ") && lines[0].hasSuffix("3.0 s  " + bar(0, 30)))
        #expect(lines[1].hasSuffix("1.0 s  " + bar(30, 10)))
        #expect(lines[2] == "" && lines[3] == "unavailable for 3.9 s")
        #expect(lines[4].hasPrefix("shop/web: generation 2 serves;"))
        #expect(try Renderer.text(result, as: .json).contains(#""unavailable_ms" : 3900"#))
    }

    private func bar(_ offset: Int, _ length: Int) -> String {
        String(repeating: " ", count: offset) + String(repeating: "█", count: length)
    }

    private func history() throws -> HistoryView {
        let begin = Date(timeIntervalSince1970: 1_700_000_000)
        let first = Intent(number: 1, from: nil, to: Generation(1), image: "tiny:1", digest: try Fixtures.digest())
        let second = Intent(
            number: 2,
            from: Generation(1),
            to: Generation(2),
            image: "tiny:2",
            digest: try Fixtures.digest(),
            strategy: .warmFirst
        )
        let turn = TurnBack(direction: .revert, step: .verify, code: .verifyFailed, reason: "no answer")
        let events: [(seconds: Double, JournalEvent)] = [
            (0, .began(first)), (1.5, .completed(.plan, milliseconds: 1500)), (1.5, .ended(.committed, reason: nil)),
            (60, .began(second)), (61, .completed(.plan, milliseconds: 1000)),
            (63, .completed(.prepare, milliseconds: 2000)), (90, .turnedBack(turn)),
            (92.25, .ended(.reverted, reason: nil)),
        ]
        let records = events.map { JournalRecord(time: begin + $0.seconds, pid: 7, event: $0.1) }
        return HistoryView(server: try Fixtures.id("shop", "web"), history: ServerHistory(records))
    }

    @Test("history is a table of the journal's operations, each with the time of its steps")
    func historyTable() throws {
        let text = try Renderer.text(try history(), as: .table)
        #expect(
            text == """
                NO  BEGAN                 GEN    IMAGE   STRATEGY    OUTCOME    TOOK  WHY
                1   2023-11-14T22:13:20Z  → 1    tiny:1  -           committed  1 s\("   ")
                    ms: plan 1500
                2   2023-11-14T22:14:20Z  1 → 2  tiny:2  warm-first  reverted   32 s  verify: no answer
                    ms: plan 1000, prepare 2000

                """
        )
        let empty = HistoryView(server: try Fixtures.id("shop", "web"), history: ServerHistory([]))
        #expect(try Renderer.text(empty, as: .table) == "nothing has happened to shop/web yet\n")
    }

    @Test("history says of a generation that was to be a clone how its machine came to run, and why it had to boot")
    func historyLaunches() throws {
        var view = try history()
        let record = #"{"format": 1, "way": "booted", "reason": "there is no template yet"}"#
        let launch = try JSONDecoder().decode(LaunchRecord.self, from: Data(record.utf8))
        view.launches = [Generation(1): launch]
        #expect(try Renderer.text(view, as: .table).contains("    booted, not cloned: there is no template yet\n2 "))
        #expect(try Renderer.text(view, as: .json).contains("\"way\" : \"booted\""))
    }

    @Test("history tells of crashes that no operation counts")
    func historyCrashes() throws {
        let time = Date(timeIntervalSince1970: 1_700_000_000)
        let intent = Intent(number: 1, from: nil, to: Generation(1), image: "tiny:1", digest: try Fixtures.digest())
        let events: [JournalEvent] = [
            .began(intent), .ended(.committed, reason: nil), .power(on: true, restarts: 1),
        ]
        let history = ServerHistory(events.map { JournalRecord(time: time, pid: 1, event: $0) })
        let view = HistoryView(server: try Fixtures.id("shop", "web"), history: history)
        let line = "2023-11-14T22:13:20Z: generation 1 was started, and booted again after a crash before init"
        #expect(try Renderer.text(view, as: .table).contains(line))
        #expect(try Renderer.text(view, as: .json).contains("\"restarts\" : 1"))
    }

    @Test("history is JSON of the journal's operations")
    func historyJSON() throws {
        let json = try Renderer.text(try history(), as: .json)
        for part in [
            "\"began\" : \"2023-11-14T22:13:20Z\"", "\"outcome\" : \"committed\"", "\"strategy\" : \"warm-first\"",
            "\"milliseconds\" : 32250", "\"step\" : \"prepare\"", "\"code\" : \"verify.failed\"",
        ] { #expect(json.contains(part), "\(part)") }
    }

    @Test("volumes name their writer, and what was deleted is listed as retained")
    func volumes() throws {
        let machine = try Fixtures.id("shop", "web").machine(Generation(2))
        let record = VolumeRecord(
            lab: try Name("shop"),
            name: try Name("data"),
            id: VolumeID(),
            spec: VolumeSpec(size: .mebibytes(64)),
            created: Date(timeIntervalSince1970: 0),
            layers: ["0001.qcow2"],
            lease: VolumeRecord.Lease(machine: machine, number: 1),
            leaseNumber: 1
        )
        let retained = [RetainedVolume(kept: "shop.old.1", record: nil)]
        #expect(
            try Renderer.text(VolumeList(volumes: [record], retained: retained, reformatted: [:]), as: .table) == """
                VOLUME      SIZE   FILESYSTEM  WRITER      STATE
                shop/data   64MiB  ext4        shop/web#2  -
                shop.old.1  -      -           -           retained

                """
        )
        let formatted = VolumeList(
            volumes: [record],
            retained: [],
            reformatted: [record.id: try Name("before-format-2")]
        )
        #expect(try Renderer.text(formatted, as: .table).contains("shop/web#2  reformatted"))
        #expect(formatted.warnings.count == 1)
        #expect(formatted.warnings[0].contains("'kiln volume restore shop/data before-format-2'"))
    }

    @Test("a cell with control characters can't break the table")
    func hostileCells() {
        let table = TextTable(header: ["a", "b"], rows: [["x\ny", "\u{1b}[2J"]])
        #expect(table.lines == ["A    B", "x y  \\u{1b}[2J"])
    }

    @Test("the doctor's findings are shown with what to do")
    func doctor() throws {
        let result = DoctorResult(findings: [
            DoctorFinding("kvm", .warn, "no CPU flag", remedy: "nothing: TCG is used"),
            DoctorFinding("home", .pass, "/k"),
        ])
        #expect(
            try Renderer.text(result, as: .table) == """
                LEVEL  NAME  DETAIL
                warn   kvm   no CPU flag; next: nothing: TCG is used
                pass   home  /k

                """
        )
    }
}
