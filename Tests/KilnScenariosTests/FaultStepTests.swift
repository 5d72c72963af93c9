import Foundation
import KilnEngine
import KilnFaults
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnScenarios

@Suite("Faults of scenarios, on fakes")
struct FaultStepTests {
    private let faults: FaultWorld
    private var world: FakeWorld { faults.world }
    private var host: FakeLinuxHost { faults.host }

    init() throws { faults = try FaultWorld() }

    private func requireNotHit(_ report: ScenarioReport) { #expect(report.isNotHit, "\(report)") }

    // MARK: - Processes

    @Test("a power cut ends the machine, and says that it is gone")
    func powerCut() async throws {
        let report = try await faults.run(["up", "fault: { power-cut: { server: web } }", "up: [web]"])
        #expect(report.outcome == .passed, "\(report)")
        #expect(report.steps[1].detail?.contains("is gone") == true && host.signals == [9])
    }

    @Test("a power cut that the process survives is not hit, and no expected failure excuses it")
    func powerCutMissed() async throws {
        host.ignoreFaults()
        requireNotHit(try await faults.run(["up", "fault: { power-cut: { server: web } }"]))
        let excused = "{ fault: { power-cut: { server: web } }, expect-failure: true, retry: { times: 3, every: 1ms } }"
        requireNotHit(try await faults.run(["up", excused]))
    }

    @Test("a frozen machine stands still for its time, and goes on")
    func freeze() async throws {
        let report = try await faults.run(["up", "fault: { freeze: { server: web }, for: 10ms }"])
        #expect(report.outcome == .passed && host.signals == [19, 18], "\(report)")
        host.ignoreFaults()
        requireNotHit(try await faults.run(["up", "fault: { freeze: { server: web }, for: 10ms }"]))
    }

    @Test("one that is made at the end is taken back, too, and has to hit something")
    func atTheEnd() async throws {
        let more = "finally: [{ fault: { freeze: { server: web } } }]"
        let report = try await faults.run(["up"], more: more)
        #expect(report.outcome == .passed && host.signals == [19, 18], "\(report)")
        host.ignoreFaults()
        requireNotHit(try await faults.run(["up"], more: more))
    }

    @Test("what stays is taken back before what is done at the end, the last one first, each as a result")
    func cleanUp() async throws {
        let report = try await faults.run(
            [
                "up", "fault: { freeze: { server: web } }", "fault: { link-cut: { server: web, network: lan } }",
                "{ note: a }",
            ],
            more: "finally: [{ note: end }]",
            sink: FaultWorld.atNote { [world] in world.networks.drop(.cut, 1) }
        )
        #expect(report.outcome == .passed, "\(report)")
        #expect(report.finally.map(\.name).prefix(2) == ["end of link-cut web on lan", "end of freeze web"])
        #expect(report.finally.map(\.id.description) == ["5", "6", "7"])
        #expect(host.signals.last == 18)
    }

    // MARK: - Networks

    @Test(
        "a fault of a network is there while its steps are done, proved by what the switch counts, and taken back",
        arguments: [
            ("link-cut: { server: web, network: lan }", SwitchStatus.Drop.cut, "3 frames refused"),
            ("link-loss: { server: web, network: lan, percent: 20 }", .lost, "3 frames lost"),
            ("link-flap: { server: web, network: lan, every: 1h }", .cut, "3 frames refused"),
            ("link-delay: { server: web, network: lan, by: 2s }", nil, "3 frames came late"),
        ]
    )
    func network(_ fault: String, _ why: SwitchStatus.Drop?, _ proof: String) async throws {
        let seen = Seen()
        let report = try await faults.run(
            ["up", "fault: { \(fault), steps: [{ note: a }] }"],
            sink: FaultWorld.atNote { [world] in
                if let id = world.networks.running.first {
                    seen.note(world.networks.table(id)?.faults.isEmpty == false)
                }
                if let why { world.networks.drop(why, 3) } else { world.networks.pass(3) }
            }
        )
        #expect(report.outcome == .passed, "\(report)")
        // Both ports count the same on fakes, and only that of the server's own link counts.
        #expect(report.steps[1].detail == proof)
        #expect(seen.all == [true])
        requireNotHit(try await faults.run(["up", "fault: { \(fault), steps: [{ note: a }] }"]))
    }

    @Test("which frames a link loses comes from the run's seed, another chance for each time that the fault is made")
    func seeds() async throws {
        func seeds(_ number: UInt32) async throws -> [UInt32?] {
            let found = Mutex<[UInt32?]>([])
            let fault = "fault: { link-loss: { server: web, network: lan, percent: 20 }, steps: [{ note: a }] }"
            let report = try await world.run(
                FaultWorld.text(["up", "repeat: { times: 2, steps: [{ \(fault) }] }"]),
                host: host,
                options: .init(version: "0", conditions: RunConditions(seed: RunSeed(number))),
                sink: FaultWorld.atNote { [world] in
                    if let id = world.networks.running.first {
                        found.withLock { $0.append(world.networks.table(id)?.faults.values.first?.seed) }
                    }
                    world.networks.drop(.lost, 1)
                }
            )
            #expect(report.outcome == .passed, "\(report)")
            return found.withLock { $0 }
        }
        let first = try await seeds(7)
        #expect(first.count == 2 && first[0] != nil && first[0] != first[1])
        #expect(try await seeds(7) == first)
        #expect(try await seeds(8) != first)
    }

    @Test("a split network is whole again afterwards, and one through which nothing went was not hit")
    func split() async throws {
        let fault = "fault: { split: { network: lan, sets: [[web], [db]] }, steps: [{ note: a }] }"
        let seen = Seen()
        let sink = FaultWorld.atNote { [world] in
            if let id = world.networks.running.first { seen.note(world.networks.table(id)?.sets.count == 2) }
            world.networks.drop(.split, 1)
        }
        let report = try await faults.run(["up", fault], sink: sink)
        #expect(report.outcome == .passed && seen.all == [true], "\(report)")
        requireNotHit(try await faults.run(["up", fault]))
    }

    @Test("a fault that can't be taken back is named, the others are taken back all the same, and the exit says so")
    func undoFails() async throws {
        let report = try await faults.run(
            [
                "up", "fault: { freeze: { server: web } }", "fault: { link-cut: { server: web, network: lan } }",
                "{ note: a }",
            ],
            sink: FaultWorld.atNote { [world] in
                world.networks.drop(.cut, 1)
                world.faults.fail("changeNetwork", with: KilnError(.internalFault, "the switch is stuck"))
            }
        )
        #expect(report.exit == .halted && report.error?.code == ErrorCode.faultNotUndone.rawValue, "\(report)")
        #expect(report.error?.message.contains("link-cut web on lan") == true)
        #expect(report.finally.map(\.outcome) == [.failed, .passed] && host.signals == [19, 18])
    }

    // MARK: - The host

    @Test("a port that is taken is given back, and one that is not taken was not hit")
    func port() async throws {
        let steps = ["up", "stop: [web]", "fault: { port-taken: { server: web, port: http }, steps: [{ note: a }] }"]
        let report = try await faults.run(steps)
        #expect(report.outcome == .passed && host.held == 0, "\(report)")
        host.ignoreFaults()
        requireNotHit(try await faults.run(steps))
    }

    @Test("a volume that a foreign process holds is not handed over, and is given back")
    func volume() async throws {
        let steps = [
            "up", "stop: [web]",
            "fault: { volume-in-use: { volume: data }, steps: [{ start: [web], expect-failure: true }] }",
            "start: [web]",
        ]
        let report = try await faults.run(steps)
        #expect(report.outcome == .passed && host.held == 0, "\(report)")
        host.ignoreFaults()
        #expect(try await faults.run(steps).outcome != .passed)
    }

    // MARK: - Moments

    @Test("a fault happens at its moment, and its result stands below the step")
    func during() async throws {
        let report = try await faults.run([
            "up",
            "{ replace: { server: web, image: 'tiny:2' }, during: [{ at: stop.before, fault: { power-cut: { server: web, machine: old } } }] }",
        ])
        #expect(report.outcome == .passed, "\(report)")
        let child = try #require(report.steps[1].children.first)
        #expect(child.id.description == "2.1" && child.kind == "fault" && child.outcome == .passed)
        #expect(child.name == "power-cut the old machine of web at stop.before")
        #expect(report.servers.first { $0.name.text == "web" }?.image.version == "2")
    }

    @Test("two faults at one moment happen in the order of the file, and end the other way round")
    func two() async throws {
        let fault = "fault: { freeze: { server: db } }"
        let report = try await faults.run([
            "up",
            "{ replace: { server: web, image: 'tiny:2' }, during: [{ at: prepare.before, until: prepare.after, \(fault) }, "
                + "{ at: prepare.before, fault: { link-cut: { server: db, network: lan } } }] }",
        ])
        #expect(report.steps[1].children.map(\.outcome) == [.passed, .failed])
        requireNotHit(report)
    }

    @Test("a moment that never comes is not hit, however the step ended")
    func never() async throws {
        let report = try await faults.run([
            "up",
            "{ replace: { server: web, image: 'tiny:2' }, during: [{ at: warm.before, fault: { freeze: { server: web } } }] }",
        ])
        requireNotHit(report)
        #expect(report.error?.message.contains("warm.before, which never came") == true)
    }

    // MARK: - Files

    @Test(
        "what can't be a fault is refused by name",
        arguments: [
            ("fault: { power-cutt: { server: web } }", "did you mean 'power-cut'?"),
            ("fault: { power-cut: { server: wbe } }", "did you mean 'web'?"),
            ("fault: { power-cut: { server: web }, for: 1s }", "over at once"),
            ("fault: { freeze: { server: web }, for: 1s, steps: [{ note: a }] }", "found both"),
            ("fault: { freeze: { server: web }, power-cut: { server: web } }", "one of"),
            ("fault: { for: 1s }", "one of"), ("fault: { freeze: { server: web, machine: best } }", "one of"),
            ("fault: { link-delay: { server: web, network: lan, by: 2m } }", "at most 60s"),
            ("fault: { link-cut: { server: web, network: wan } }", "declared: lan"),
            ("fault: { split: { network: lan, sets: [[web], [web]] } }", "in two sets"),
            ("fault: { clock-skew: { server: web } }", "found neither"),
            ("fault: { clock-skew: { server: web, ahead: 1s } }", "at least 60s"),
            ("fault: { kill-service: { server: web, process: 'a;b' } }", "the name of a process"),
            ("{ note: a, during: [{ at: stop.before, fault: { freeze: { server: web } } }] }", "makes no generation"),
            (
                "{ replace: { server: web }, during: [{ at: stopp.before, fault: { freeze: { server: web } } }] }",
                "did you mean 'stop.before'?"
            ),
            (
                "{ replace: { server: web }, during: [{ at: stop.before, until: stop.after, fault: { power-cut: { server: web } } }] }",
                "can't be taken back"
            ),
        ]
    )
    func refused(step: String, expected: String) throws {
        let found = try problems(FaultWorld.text(["up", step]))
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }

    @Test("a server that is not up can't be broken")
    func notUp() throws {
        #expect(try problems(FaultWorld.text(["up: [db]", "fault: { freeze: { server: web }, for: 1s }"])).count == 1)
    }

    @Test(
        "what belongs to the host is broken in a home of the run's own only",
        arguments: ["host-disk-full: { of: volumes }", "kill-libvirtd: {}", "base-image-changed: { image: 'tiny:1' }"]
    )
    func ownHome(_ fault: String) async throws {
        let steps = ["up", "fault: { \(fault) }"]
        #expect(try read(FaultWorld.text(steps)).needsOwnHome)
        #expect(try !read(FaultWorld.text(["up"])).needsOwnHome)
        let during = "{ replace: { server: web }, during: [{ at: stop.before, fault: { \(fault) } }] }"
        #expect(try read(FaultWorld.text(["up", "repeat: { times: 2, steps: [\(during)] }"])).needsOwnHome)
        let report = try await faults.run(steps)
        #expect(report.error?.code == ErrorCode.faultImpossible.rawValue, "\(report)")
        #expect(report.error?.message.contains("no home of its own") == true)
    }

    @Test("every kind of fault has a scenario that can be read")
    func examples() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Scenarios/faults")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
        for file in files {
            let scenario = try ScenarioFile.scenario(at: folder.appending(path: file).path)
            // Those that need a home of their own are run by themselves.
            #expect(scenario.needsOwnHome == file.hasPrefix("host/"), "\(file)")
        }
        let texts = try files.map { try String(contentsOf: folder.appending(path: $0), encoding: .utf8) }
        for kind in FaultKind.all {
            #expect(texts.contains { $0.contains("\(kind.word): {") }, "\(kind.word)")
            #expect(!kind.about.isEmpty && kind.about.hasSuffix("."))
        }
        #expect(Set(FaultKind.all.map(\.word)).count == FaultKind.all.count)
    }

    @Test(
        "what strikes a replacement is refused elsewhere, and in one of another server, by decoder and schema",
        arguments: [
            "kill-kiln: { server: web }", "bad-image: { server: web, how: unbootable }",
            "bad-user-data: { server: web, how: endless }",
        ]
    )
    func ofReplacement(_ fault: String) throws {
        let able = fault.hasPrefix("kill") ? "'during' of: replace" : "'during' of: up, replace, rollback"
        let alone = FaultWorld.text(["up", "fault: { \(fault) }"])
        let found = try problems(alone)
        #expect(found.contains { $0.contains(able) }, "\(found)")
        let structure = try SchemaChecker(ScenarioSchema.document).problems(alone)
        #expect(!structure.isEmpty)
        let other = "{ replace: { server: db }, during: [{ at: start.before, fault: { \(fault) } }] }"
        let foreign = try problems(FaultWorld.text(["up", other]))
        #expect(foreign.contains { $0.contains("makes a generation of 'db', and none of 'web'") }, "\(foreign)")
    }

    @Test("the schema takes every fault that the decoder takes")
    func schema() throws {
        let steps = [
            "fault: { power-cut: { server: web } }", "fault: { freeze: { server: web }, for: 1s }",
            "fault: { io-error: { server: web, volume: data }, steps: [{ note: a }] }",
            "fault: { slow-disk: { server: web, operations: 5 }, for: 1s }",
            "fault: { disk-full: { server: web, volume: data }, for: 1s }",
            "fault: { read-only-disk: { server: web, machine: serving }, for: 1s }",
            "fault: { clock-skew: { server: web, behind: 1h }, for: 1s }",
            "{ replace: { server: web }, during: [{ at: stop.before, until: start.after, fault: { freeze: { server: db } } }] }",
            "{ replace: { server: web }, during: [{ at: stop.before, fault: { kill-kiln: { server: web } } }] }",
        ]
        let whole = FaultWorld.text(["up"] + steps)
        let mistakes = try problems(whole)
        #expect(mistakes.isEmpty, "\(mistakes)")
        let structure = try SchemaChecker(ScenarioSchema.document).problems(whole)
        #expect(structure.isEmpty, "\(structure)")
    }
}

/// What was seen, in order.
private final class Seen: Sendable {
    private let values = Mutex<[Bool]>([])
    var all: [Bool] { values.withLock { $0 } }
    func note(_ value: Bool) { values.withLock { $0.append(value) } }
}
