import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnCLI

@Suite("kiln autopilot, on fakes")
struct AutopilotVerbTests {
    private let kiln: WorldSession

    init() throws { kiln = try WorldSession() }

    private func up(healing isHealing: Bool = true) async throws {
        let text = try String(contentsOfFile: kiln.file, encoding: .utf8)
        let heal = isHealing ? "\n      heal: {}\n" : "\n"
        try Data((text.trimmingCharacters(in: .newlines) + heal).utf8).write(to: URL(fileURLWithPath: kiln.file))
        try #require(try await kiln.kiln("up", "-f", kiln.file).status == 0)
    }

    private func fall() throws { kiln.world.hypervisor.set(try #require(kiln.world.hypervisor.alive.first), .off) }

    @Test("one look heals, and says so to people and to programs; history and ps tell it, too")
    func once() async throws {
        try await up()
        try fall()
        let dry = try await kiln.kiln("autopilot", "shop", "--once", "--dry-run")
        #expect(dry.status == 0 && dry.output.contains("shop/web: dry run: its machine is off"), "\(dry)")
        let people = try await kiln.kiln("autopilot", "shop", "--once")
        #expect(people.status == 0 && people.output.contains("starting generation 1 again (heal 1 in a row; 1 of"))
        #expect(people.output.split(separator: "\n").count == 2, "\(people)")
        try fall()
        let lines = try await kiln.kiln("autopilot", "shop", "--once", "--format", "ndjson").output
        // The first heal helped, and was a moment ago.
        #expect(lines.contains(#""decision":"wait""#) && lines.contains(#""server":"shop/web""#), "\(lines)")
        let document = try await kiln.kiln("autopilot", "shop", "--once", "--format", "json").output
        #expect(document.contains(#""decisions" : ["#), "\(document)")
        let history = try await kiln.kiln("history", "web")
        #expect(history.output.contains("autopilot: its machine is off, and nobody stopped it"), "\(history)")
        #expect(try await kiln.kiln("history", "web", "--format", "json").output.contains(#""decision" : "start""#))
        #expect(try await !kiln.kiln("ps").output.contains("autopilot"))
    }

    @Test("a lab in which nobody is to be healed is refused by name")
    func none() async throws {
        try await up(healing: false)
        let end = try await kiln.kiln("autopilot", "shop")
        #expect(end.status == 64 && end.errors.contains("declares 'heal'"), "\(end)")
        #expect(try await kiln.kiln("autopilot", "shed").status == 64)
    }

    @Test("it lets members come, and says why to people and to programs; 'up' keeps them")
    func scales() async throws {
        let text = try String(contentsOfFile: kiln.file, encoding: .utf8).trimmingCharacters(in: .newlines)
        let fields = "\n      replicas: 1\n      autoscale: { max: 3, target: { requests: 20 } }\n"
        try Data((text + fields).utf8).write(to: URL(fileURLWithPath: kiln.file))
        try #require(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        kiln.world.fronts.ask(50)
        let dry = try await kiln.kiln("autopilot", "shop", "--once", "--dry-run", "--format", "ndjson")
        #expect(dry.status == 0 && dry.output.contains(#""decision":"scale-out""#), "\(dry)")
        #expect(dry.output.contains(#""from":1"#) && dry.output.contains(#""to":2"#), "\(dry)")
        let people = try await kiln.kiln("autopilot", "shop", "--once")
        #expect(people.status == 0 && people.output.contains("from 1 member to 2"), "\(people)")
        #expect(try await kiln.kiln("ps").output.contains("2 members, 2 serving"))
        #expect(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        #expect(try await kiln.kiln("ps").output.contains("2 members, 2 serving"))
        #expect(try await kiln.kiln("history", "web").output.contains("autopilot: 1 member answered"))
    }

    @Test("it goes on until it is interrupted, and ends with 130")
    func interrupted() async throws {
        try await up()
        let task = Task { try await kiln.kiln("autopilot", "shop") }
        let end = ContinuousClock.now + .seconds(60)
        while try await !kiln.kiln("ps").output.contains("autopilot (pid \(getpid()))") {
            try #require(ContinuousClock.now < end, "'kiln ps' never showed it")
            // What is shown tells of no change.
            try await Task.sleep(for: .milliseconds(5))
        }
        let second = try await kiln.kiln("autopilot", "shop", "--once")
        #expect(second.status == 12 && second.errors.contains("\(getpid())"), "\(second)")
        task.cancel()
        #expect(try await task.value.status == 130)
        #expect(try await !kiln.kiln("ps").output.contains("autopilot"))
    }
}
