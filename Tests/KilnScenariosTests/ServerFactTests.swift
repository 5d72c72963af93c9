import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnScenarios

@Suite("What is expected of a server's start, its host key and its volumes, on fakes")
struct ServerFactTests {
    /// What guests say of the volume `data`.
    private final class Disk: Sendable {
        let content = Mutex(String(repeating: "a", count: 64) + "\n")
        let uuid = Mutex(" 00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff\n")
        let status = Mutex(Int32(0))
        /// The arguments of the last question about it.
        let asked = Mutex<[String]>([])
    }

    private let faults: FaultWorld
    private let disk = Disk()

    init() throws {
        faults = try FaultWorld()
        faults.world.guests.reply { [disk] arguments, _ in
            guard arguments.count > 5, ["tree", "file-system"].contains(arguments[4]) else { return nil }
            disk.asked.withLock { $0 = Array(arguments.dropFirst(4)) }
            let said = arguments[4] == "tree" ? disk.content.withLock { $0 } : disk.uuid.withLock { $0 }
            return GuestCommandResult(status: disk.status.withLock { $0 }, output: Array(said.utf8), errors: [])
        }
    }

    // MARK: - How long a start took

    @Test("how long a machine took from its start until it was ready is judged, and can be saved")
    func readyWithin() async throws {
        faults.world.faults.before("awaitAgent") { Thread.sleep(forTimeInterval: 0.05) }
        let save = "{ expect: { server: web, ready-within: 60s }, save: { took: ready-ms } }"
        let told = "{ note: '${saved.took}', when: { value: '${saved.took}', not: '' } }"
        #expect(try await faults.run(["up", save, told]).outcome == .passed)
        let late = try await faults.run(["up", "expect: { server: web, ready-within: 20ms }"])
        #expect(late.outcome == .failed, "\(late)")
        #expect(late.error?.message.contains("web: ready within 20 ms of its start expected, ") == true)
    }

    @Test("the last start counts, also after a stop and in a replacement")
    func lastStart() async throws {
        // As if the first start had taken more than two hours.
        let slow = FaultWorld.atNote { [world = faults.world] in
            for machine in world.hypervisor.alive {
                let record = URL(filePath: world.state.generation(machine) + "/boot.json")
                guard let text = try? String(contentsOf: record, encoding: .utf8) else { continue }
                let late = text.replacing(/"milliseconds" ?: ?\d+/, with: "\"milliseconds\":7777777")
                try? Data(late.utf8).write(to: record)
            }
        }
        let soon = "expect: { server: web, ready-within: 1h }"
        for start in [["stop: [web]", "start: [web]"], ["replace: { server: web, image: 'tiny:2' }"]] {
            let late = "{ expect: { server: web, ready-within: 1h }, expect-failure: '129 m 37 s found' }"
            let steps = ["up", soon, "note: a", late] + start + [soon]
            let report = try await faults.run(steps, sink: slow)
            #expect(report.outcome == .passed, "\(start): \(report)")
        }
    }

    @Test("of a start that an older Kiln made nothing is known, which is no pass")
    func unknownStart() async throws {
        let forget = FaultWorld.atNote { [world = faults.world] in
            for machine in world.hypervisor.alive {
                try? FileManager.default.removeItem(atPath: world.state.generation(machine) + "/boot.json")
            }
        }
        let report = try await faults.run(["up", "note: a", "expect: { server: web, ready-within: 1h }"], sink: forget)
        #expect(report.outcome == .failed && report.error?.message.contains("not found ready since") == true)
    }

    @Test("whether a machine was cloned is told apart from one that booted")
    func cloned() async throws {
        let report = try await faults.run(["up", "expect: { server: web, cloned: false }"])
        #expect(report.outcome == .passed, "\(report)")
        let other = try await faults.run(["up", "expect: { server: web, cloned: true }"])
        #expect(other.outcome == .failed)
        #expect(other.error?.message.contains("a clone expected, a machine that booted found") == true, "\(other)")
    }

    // MARK: - The host key

    @Test("a replacement has another host key, a restart has not")
    func hostKey() async throws {
        let save = "{ expect: { server: web, generation: 1 }, save: { key: host-key } }"
        let same = "expect: { server: web, host-key: '${saved.key}' }"
        let other = "expect: { server: web, host-key: { not: '${saved.key}' } }"
        let replace = "replace: { server: web, image: 'tiny:2' }"
        let report = try await faults.run(["up", save, "stop: [web]", "start: [web]", same, replace, other])
        #expect(report.outcome == .passed, "\(report)")
        let kept = try await faults.run(["up", save, replace, same])
        #expect(kept.outcome == .failed && kept.error?.message.contains("host key 'SHA256:") == true, "\(kept)")
    }

    @Test("a fingerprint is that of ssh-keygen")
    func fingerprint() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIN7DwHzPcyiiPd2HsCJIcD9MiB2s/Pgx6yvRPDIIo6s a b"
        #expect(HostKeyFingerprint.of(key) == "SHA256:WG5DUse0YNGX8fGTwXRrs+irlMTm54wh0qxk9GJP7HY")
        #expect(HostKeyFingerprint.of("ssh-ed25519") == nil && HostKeyFingerprint.of("a ?") == nil)
    }

    // MARK: - The latest replacement, the configuration and snapshots

    @Test("how the latest replacement ended, and by which strategy, is judged by the journal")
    func latest() async throws {
        let replace = "replace: { server: web, image: 'tiny:2' }"
        let committed =
            "expect: { server: web, latest: { outcome: committed, strategy: stop-first, interrupted: false } }"
        #expect(try await faults.run(["up", replace, committed]).outcome == .passed)
        for (expected, found) in [
            ("{ outcome: reverted }", "one that is committed found"),
            ("{ outcome: committed, strategy: warm-first }", "one by stop-first found"),
            ("{ outcome: committed, data-on-revert: restore }", "one that would keep it found"),
            ("{ outcome: committed, interrupted: true }", "one that ended by itself found"),
            ("{ outcome: committed, rehearsed: true }", "one that was not found"),
        ] {
            let report = try await faults.run(["up", replace, "expect: { server: web, latest: \(expected) }"])
            #expect(report.outcome == .failed && report.error?.message.contains(found) == true, "\(report)")
        }
        let rehearse = "replace: { server: web, image: 'tiny:2', rehearse: true }"
        for (isRehearsed, outcome) in [(true, ScenarioReport.Outcome.passed), (false, .failed)] {
            let expected = "expect: { server: web, latest: { outcome: committed, rehearsed: \(isRehearsed) } }"
            #expect(try await faults.run(["up", rehearse, expected]).outcome == outcome)
        }
        let first = try await faults.run(["up", "expect: { server: web, latest: { outcome: committed } }"])
        #expect(first.error?.message.contains("none found") == true, "a first machine follows none: \(first)")
    }

    @Test("a replacement whose kiln was killed is known as one, whichever way it was ended")
    func interrupted() async throws {
        let aborted = """
            replace: { server: web, image: 'tiny:2', outcome: aborted }
                during: [{ at: snapshot.before, fault: { kill-kiln: { server: web } } }]
            """
        let finished = """
            replace: { server: web, image: 'tiny:2' }
                during: [{ at: start.after, fault: { kill-kiln: { server: web } } }]
            """
        let report = try await faults.run(
            [
                "up", aborted, "expect: { server: web, latest: { outcome: aborted, interrupted: true } }", finished,
                "expect: { server: web, latest: { outcome: committed, interrupted: true } }",
            ],
            killable: true
        )
        #expect(report.outcome == .passed, "\(report)")
    }

    @Test("a configuration that nobody tried with its image is told from one that passed")
    func configuration() async throws {
        let passed = "expect: { server: web, configuration: passed }"
        #expect(try await faults.run(["up", passed]).outcome == .passed)
        let other = try await faults.run(["up", "expect: { server: web, configuration: untested }"])
        #expect(other.outcome == .failed && other.error?.message.contains("one that is passed found") == true)
        let elsewhere = try await faults.run(["up", "replace: { server: web, image: 'tiny:2' }", passed])
        #expect(elsewhere.error?.message.contains("one that is elsewhere found") == true, "\(elsewhere)")
    }

    @Test("a snapshot is expected by its name")
    func snapshot() async throws {
        let expect = "expect: { server: web, volumes: { data: { snapshot: before } } }"
        let without = try await faults.run(["up", expect])
        #expect(without.outcome == .failed && without.error?.message.contains("snapshot before expected") == true)
        let report = try await faults.run(["up", "snapshot: { volume: data, name: before }", expect])
        #expect(report.outcome == .passed, "\(report)")
    }

    // MARK: - Volumes

    private static let saveVolume =
        "{ expect: { server: web, generation: 1 }, save: { id: volumes.data.uuid, all: volumes.data.content } }"
    private static let sameVolume =
        "expect: { server: web, volumes: { data: { uuid: '${saved.id}', content: '${saved.all}' } } }"
    private static let replace = "replace: { server: web, image: 'tiny:2' }"

    @Test("what a volume holds is the same after a replacement, in one line")
    func sameContent() async throws {
        let note = "note: '${saved.id} ${saved.all}'"
        let report = try await faults.run(["up", Self.saveVolume, note, Self.replace, Self.sameVolume])
        #expect(report.outcome == .passed, "\(report)")
        let asked = disk.asked.withLock { $0 }
        #expect(asked.prefix(2) == ["tree", "/data"] && VolumeID(asked[2]) != nil && asked.last == "61", "\(asked)")
    }

    @Test("another content, or another file system, is told with both")
    func otherContent() async throws {
        let change = FaultWorld.atNote { [disk] in disk.content.withLock { $0 = String(repeating: "b", count: 64) } }
        let other = try await faults.run(
            ["up", Self.saveVolume, "note: a", Self.replace, Self.sameVolume],
            sink: change
        )
        #expect(other.outcome == .failed && other.error?.message.contains("sha256:bbbb") == true, "\(other)")
        let not = "expect: { server: web, volumes: { data: { content: { not: '${saved.all}' } } } }"
        disk.content.withLock { $0 = String(repeating: "a", count: 64) }
        #expect(try await faults.run(["up", Self.saveVolume, "note: a", not], sink: change).outcome == .passed)
        let uuid = "expect: { server: web, volumes: { data: { uuid: 00112233-4455-6677-8899-aabbccddeeff } } }"
        #expect(try await faults.run(["up", uuid]).outcome == .passed)
        disk.uuid.withLock { $0 = $0.replacing("ff", with: "00") }
        let formatted = try await faults.run(["up", uuid])
        #expect(formatted.error?.message.contains("'00112233-4455-6677-8899-aabbccddee00' found") == true)
    }

    @Test(
        "a volume that is not mounted is neither the same nor another one, and what was read in part counts for nothing"
    )
    func unread() async throws {
        let not =
            "expect: { server: web, volumes: { data: { content: { not: 'sha256:\(String(repeating: "b", count: 64))' } } } }"
        disk.status.withLock { $0 = 66 }
        let gone = try await faults.run(["up", not])
        #expect(gone.outcome == .failed && gone.error?.message.contains("it is not mounted there") == true, "\(gone)")
        #expect(try await faults.run(["up", Self.saveVolume]).outcome == .failed)
        disk.status.withLock { $0 = 0 }
        disk.content.withLock { $0 = "unread\n" + $0 }
        #expect(try await faults.run(["up", not]).error?.code == "guest.refused")
        disk.content.withLock { $0 = "nonsense" }
        #expect(try await faults.run(["up", not]).error?.code == "guest.nonsense")
    }

    @Test("a look that takes longer than its time tells how to give it more, and holds neither way")
    func slow() async throws {
        let slow = FaultWorld.atNote { [world = faults.world] in
            world.faults.fail("run", with: KilnError(.guestCommandDeadline, "no end", exit: .deadline))
        }
        let look = "server: web, volumes: { data: { content: { not: '${saved.g}' }, timeout: 2m } }, never: { for: 1s }"
        let save = "{ expect: { server: web, generation: 1 }, save: { g: generation } }"
        let report = try await faults.run(["up", save, "note: a", "expect: { \(look) }"], sink: slow)
        #expect(report.outcome != .passed && report.error?.code == "guest.command-deadline", "\(report)")
        #expect(report.error?.message.contains("volume data could not be read within 2 m 00 s") == true, "\(report)")
        #expect(report.error?.hint?.contains("timeout: …") == true, "\(report)")
    }

    @Test(
        "a mistake is named with its place",
        arguments: [
            ("host-key: SHA256:abc", "expected the fingerprint of an SSH key"),
            ("ready-within: 30", "expected a duration"),
            ("volumes: {}", "an empty map asserts nothing"), ("volumes: { data: {} }", "nothing is expected of it"),
            ("volumes: { dta: { uuid: '${saved.x}' } }", "found 'dta' (did you mean 'data'?)"),
            ("volumes: { data: { uuid: AB } }", "a UUID in small letters"),
            ("volumes: { data: { content: { not: abc } } }", "sha256: and 64 hexadecimal digits"),
            ("volumes: { data: { sum: a } }", "unknown field"),
            ("generation: 1, eventually: { within: 1s }, always: { for: 1s }", "at most"),
            ("eventually: { within: 1s }", "nothing is expected"), ("generation: 1, never: { within: 1s }", "for"),
        ]
    )
    func mistakes(field: String, words: String) throws {
        let found = try problems(FaultWorld.text(["up", "expect: { server: web, \(field) }"]))
        #expect(found.contains { $0.contains(words) && $0.hasPrefix("1") }, "\(found)")
    }

    @Test("what is saved of a volume is checked by its name, and a mistake elsewhere hides no other")
    func outputs() throws {
        func found(_ save: String) throws -> [String] {
            try problems(FaultWorld.text(["up", "{ expect: { server: web, generation: 1 }, save: { a: \(save) } }"]))
        }
        #expect(try found("volumes.data.content").isEmpty)
        let wrong = try found("volumes.dta.content")
        #expect(wrong.count == 1 && wrong[0].contains("(did you mean 'volumes.data.content'?)"), "\(wrong)")
        // The server db has none.
        let other = try problems(
            FaultWorld.text(["up", "{ expect: { server: db, generation: 1 }, save: { a: volumes.data.uuid } }"])
        )
        #expect(other.count == 1)
        let both = try problems(
            FaultWorld.text(["up", "{ expect: { server: wbe, generation: 1 }, save: { a: volumes.data.uuid } }"])
        )
        #expect(both.count == 1 && both[0].contains("'wbe'"), "\(both)")
    }

    @Test("what the decoder takes, the schema takes, and what it refuses for its structure, the schema refuses")
    func schema() throws {
        let checker = SchemaChecker(ScenarioSchema.document)
        func problems(_ field: String) throws -> [String] {
            try checker.problems(FaultWorld.text(["up", "expect: { server: web, \(field) }"]))
        }
        for right in [
            "ready-within: 30s", "host-key: { not: '${saved.key}' }", "generation: 1, always: { for: 5s, every: 1s }",
            "volumes: { data: { uuid: '${saved.id}', content: { not: '${saved.all}' }, timeout: 5m } }",
        ] { #expect(try problems(right).isEmpty, "\(right)") }
        for wrong in [
            "ready-within: 30", "host-key: []", "volumes: []", "volumes: {}", "volumes: { data: { sum: a } }",
            "never: 5s",
        ] {
            #expect(try !problems(wrong).isEmpty, "\(wrong)")
        }
    }
}
