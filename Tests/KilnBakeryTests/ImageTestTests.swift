import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnBakery

@Suite("Tests of images")
struct ImageTestTests {
    private let world: FakeWorld

    init() throws { world = try FakeWorld() }

    /// What a guest answers to what its script is asked for.
    private func answer(_ reply: @escaping @Sendable (_ asked: [String], MachineID) async -> GuestCommandResult?) {
        world.guests.reply { arguments, machine in
            let asked = arguments.count > 3 && arguments[3] == "kiln" ? Array(arguments.dropFirst(4)) : arguments
            if let said = await reply(asked, machine) { return said }
            return Self.usual(asked, machine)
        }
    }

    private static func said(_ text: String, status: Int32 = 0) -> GuestCommandResult {
        GuestCommandResult(status: status, output: Array(text.utf8), errors: [])
    }

    // A guest without systemd whose volume is mounted and that has an identity of its own.
    private static func usual(_ asked: [String], _ machine: MachineID) -> GuestCommandResult? {
        switch asked.first {
        case "failed-units": said("", status: 69)
        case "mounts": said("/dev/vda / ext4 rw 0 0\n/dev/vdb /mnt/kiln-test ext4 rw 0 0\n")
        case "identity":
            said("boot-id \(String(repeating: machine.member.server.text == "one" ? "1" : "2", count: 64)) /boot_id\n")
        default: nil
        }
    }

    private func test(
        _ tests: [Check] = [],
        depth: ImageSuite.Depth = .full,
        behaviour: GuestBehaviour = GuestBehaviour(),
        root: (any SealedRoot)? = nil,
        predecessor: StoredImage? = nil,
        limit: Duration? = nil
    ) async throws -> Attestation {
        try await ImageTest(
            of: try world.images.add("1", behaviour),
            suite: ImageSuite(tests: tests, depth: depth),
            engine: world.engine,
            parts: world.parts(),
            root: root,
            predecessor: predecessor,
            limit: limit,
            tell: { _ in }
        ).run()
    }

    private func expectNothingLeft() async throws {
        #expect(try await world.hypervisor.machines().isEmpty && world.hypervisor.violations.isEmpty)
        #expect(try world.engine.members().isEmpty && world.engine.volumes.retained().isEmpty)
        for folder in ["labs", "volumes", "scratch", "retained"] {
            let names = try? FileManager.default.subpathsOfDirectory(atPath: "\(world.state.root)/\(folder)")
            let left = (names ?? []).filter { $0.contains("kiln-test") }
            #expect(left.isEmpty, "\(left)")
        }
    }

    private func outcome(_ subject: String, _ attestation: Attestation) -> Assertion.Outcome? {
        attestation.assertions.first { $0.subject == subject }?.outcome
    }

    @Test("an image that is as it should be passes: two machines, the first of them booted twice, nothing left")
    func passes() async throws {
        let starts = Mutex<[String]>([])
        world.faults.before("start") { starts.withLock { $0.append("start") } }
        answer { _, _ in nil }
        let found = try await test([Check(.exec(["/check"]))])
        #expect(found.isPass, "\(found.assertions.filter { $0.outcome != .passed })")
        #expect(found.acceleration == "tcg" && found.seconds > 0)
        let subjects = found.assertions.map(\.subject)
        for subject in [
            "machine one: boots", "machine two: boots", "machine one: boots again", "cloud-init", "failed units",
            "mount /mnt/kiln-test: exists", "machine one: console", "two machines: machine-id", "exec '/check'",
        ] { #expect(subjects.contains(subject), "\(subject) in \(subjects)") }
        #expect(starts.withLock { $0.count } == 3)
        try await expectNothingLeft()
    }

    @Test("what files tell is looked at first, on the files where they are there, else in the machine")
    func offline() async throws {
        let folder = try TemporaryDirectory()
        _ = try folder.file("etc/group", Array("adm:x:4:\n".utf8))
        answer { asked, _ in
            asked.prefix(2) == ["content", "/etc/group"]
                ? Self.said("adm:x:4:\n")
                : asked.first == "content"
                    ? Self.said("", status: 66) : nil
        }
        let check = Check(.resource(.group(GroupResource(name: "adm"))))
        let files = try await test([check], depth: .boot, root: WholeRoot(files: FolderRoot(folder.path)))
        withExtendedLifetime(folder) {}
        #expect(files.isPass && files.assertions.first?.subject == "group adm: exists")
        #expect(files.assertions.first?.place == .offline)
        let machine = try await test([check], depth: .boot)
        #expect(machine.isPass)
        #expect(machine.assertions.first { $0.subject == "group adm: exists" }?.place == .booted)
    }

    @Test("what files don't tell is asked of the machine")
    func untold() async throws {
        answer { asked, _ in
            asked.prefix(2) == ["content", "/etc/group"]
                ? Self.said("adm:x:4:\n") : asked.first == "content" ? Self.said("", status: 66) : nil
        }
        let check = Check(.resource(.group(GroupResource(name: "adm"))))
        let found = try await test([check], depth: .boot, root: ListedRoot(listing: try Self.listing(), contents: [:]))
        #expect(found.isPass && found.assertions.first { $0.subject == "group adm: exists" }?.place == .booted)
    }

    private static func listing() throws -> RootListing {
        let root = RootEntry(kind: .directory, mode: 0o755, user: 0, group: 0)
        let file = RootEntry(
            kind: .file,
            mode: 0o644,
            user: 0,
            group: 0,
            size: 9,
            value: String(repeating: "a", count: 64)
        )
        let link = RootEntry(kind: .link, mode: 0o777, user: 0, group: 0, value: "usr%2Fetc")
        let paths = try ["/usr", "/usr/etc", "/usr/etc/group", "/etc"].map { try #require(RootPath($0)) }
        let entries = zip([RootPath.root] + paths, [root, root, root, file, link])
        return RootListing(entries: Dictionary(uniqueKeysWithValues: Array(entries)), packages: [:])
    }

    @Test("a listing tells what lies where, links within the root followed, and content only where it was vouched for")
    func listed() async throws {
        let path = try #require(RootPath("/etc/group"))
        let real = try #require(RootPath("/usr/etc/group"))
        let none = try #require(RootPath("/etc/none"))
        let bare = ListedRoot(listing: try Self.listing(), contents: [:])
        #expect(try await bare.entry(path)?.mode == 0o644)
        #expect(try await bare.digest(path)?.hex == String(repeating: "a", count: 64))
        #expect(try await bare.content(none, limit: 9) == nil)
        await #expect(throws: KilnError.self) { try await bare.content(path, limit: 9) }
        let known = ListedRoot(listing: try Self.listing(), contents: [real: Array("adm:x:4:\n".utf8)])
        #expect(try await known.content(path, limit: 9) == Array("adm:x:4:\n".utf8))
        let group = Probe.resource(.group(GroupResource(name: "adm")))
        let file = Probe.resource(.file(FileResource(path: path)))
        #expect(known.tells(group) && known.tells(.not(group)) && !bare.tells(group) && bare.tells(file))
    }

    @Test("of a tree only what is as the listing says is believed, and nothing outside is read")
    func excerpt() async throws {
        let folder = try TemporaryDirectory()
        let outside = try folder.file("outside", Array("secret\n".utf8))
        for (name, text) in [("right", "right\n"), ("wrong", "other\n")] {
            _ = try folder.file("tree/etc/\(name)", Array(text.utf8))
        }
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/tree/etc/link",
            withDestinationPath: outside
        )
        let archive = folder.path + "/tree.tar"
        _ = try await Command("tar", ["-C", folder.path + "/tree", "-cf", archive, "."]).run()
        func entry(_ text: String) throws -> RootEntry {
            let digest = try FileDigest.sha256(Data(text.utf8)).hex
            return RootEntry(kind: .file, mode: 0o644, user: 0, group: 0, size: UInt64(text.utf8.count), value: digest)
        }
        var entries: [RootPath: RootEntry] = [:]
        for (name, text) in [("right", "right\n"), ("wrong", "right\n"), ("link", "secret\n"), ("gone", "gone\n")] {
            entries[try #require(RootPath("/etc/\(name)"))] = try entry(text)
        }
        let store = ImageStore(root: folder.path + "/store")
        let found = try await TreeExcerpt(archive: archive, store: store)
            .contents(of: Set(entries.keys), RootListing(entries: entries, packages: [:]))
        #expect(found == [try #require(RootPath("/etc/right")): Array("right\n".utf8)])
        let left = try FileManager.default.contentsOfDirectory(atPath: store.root + "/work")
        #expect(left.isEmpty)
    }

    @Test("a machine of it serves on with a volume that the version before wrote, and one that can't fails by name")
    func predecessor() async throws {
        answer { asked, machine in
            guard asked.first == "entry" else { return nil }
            return machine.generation == Generation(2) ? Self.said("81a4 0 0 5\n") : nil
        }
        let before = try world.images.add("0")
        let found = try await test(predecessor: before)
        #expect(found.isPass, "\(found.assertions.filter { $0.outcome != .passed })")
        let boots = try #require(found.assertions.first { $0.subject == "machine three: boots" })
        #expect(boots.expected.contains("a volume that tiny:0 wrote"))
        #expect(outcome("file /mnt/kiln-test/kiln-test-mark: exists", found) == .passed)
        try await expectNothingLeft()
        answer { asked, _ in asked.first == "entry" ? Self.said("", status: 66) : nil }
        let lost = try await test(predecessor: before)
        #expect(outcome("file /mnt/kiln-test/kiln-test-mark: exists", lost) == .failed)
    }

    @Test("a version before that does not boot itself says nothing of the image")
    func brokenPredecessor() async throws {
        answer { _, _ in nil }
        let before = try world.images.add("0", GuestBehaviour(.cloudInitFails))
        let found = try await test(predecessor: before)
        #expect(found.isPass && outcome("machine three: boots", found) == nil)
        try await expectNothingLeft()
    }

    @Test("of an image that was added one machine is booted once")
    func oneBoot() async throws {
        let starts = Mutex(0)
        world.faults.before("start") { starts.withLock { $0 += 1 } }
        answer { _, _ in nil }
        let found = try await test(depth: .boot)
        #expect(found.isPass && starts.withLock { $0 } == 1)
        #expect(outcome("two machines: boot-id", found) == nil && outcome("machine one: boots again", found) == nil)
        let manifest = try world.images.add("2").manifest
        #expect(ImageSuite(of: manifest, tests: []).depth == .boot)
        #expect(ImageSuite(of: manifest, tests: [], all: true).depth == .full)
    }

    @Test("what two machines have in common, a failed unit and a degraded cloud-init fail by name")
    func builtIn() async throws {
        answer { asked, _ in
            switch asked.first {
            case "identity": Self.said("ssh-host-key \(String(repeating: "a", count: 64)) /etc/ssh/ssh_host_rsa_key\n")
            case "failed-units": Self.said("bad.service loaded failed failed Bad\n")
            default: nil
            }
        }
        let found = try await test(behaviour: GuestBehaviour(.degraded))
        let failed = found.assertions.filter { $0.outcome == .failed }
        #expect(
            failed.map(\.subject).sorted() == ["cloud-init", "failed units", "two machines: ssh-host-key"],
            "\(failed)"
        )
        #expect(failed.contains { $0.found.contains("ssh_host_rsa_key") })
        #expect(failed.contains { $0.found.contains("bad.service") })
        #expect(!found.isPass)
        try await expectNothingLeft()
    }

    @Test("a volume that is not mounted fails")
    func unmounted() async throws {
        answer { asked, _ in asked.first == "mounts" ? Self.said("/dev/vda / ext4 rw 0 0\n") : nil }
        let found = try await test(depth: .boot)
        #expect(outcome("mount /mnt/kiln-test: exists", found) == .failed)
    }

    @Test("a test that holds only at the second attempt is flaky, and one that never does has failed")
    func flaky() async throws {
        let asked = Mutex<[String: Int]>([:])
        answer { arguments, _ in
            guard arguments.first == "/sometimes" || arguments.first == "/never" else { return nil }
            let count = asked.withLock { counts in
                counts[arguments[0], default: 0] += 1
                return counts[arguments[0], default: 0]
            }
            return Self.said("", status: arguments[0] == "/sometimes" && count > 1 ? 0 : 3)
        }
        let checks = [Check(.exec(["/sometimes"])), Check(.exec(["/never"]), hint: "look")]
        let found = try await test(Array(checks.prefix(1)), depth: .boot)
        #expect(found.outcome == .flaky && !found.isPass)
        let flaky = try #require(found.assertions.first { $0.outcome == .flaky })
        #expect(flaky.found.contains("at first: exit status 3"))
        let both = try await test(checks, depth: .boot)
        #expect(both.outcome == .failed && asked.withLock { $0["/never"] } == 2)
        #expect(both.assertions.contains { $0.found.contains("exit status 3") && $0.found.hasSuffix("(look)") })
    }

    @Test("'eventually' lets a test fail for a while, which is not flaky")
    func eventually() async throws {
        let asked = Mutex(0)
        answer { arguments, _ in
            guard arguments.first == "/late" else { return nil }
            let count = asked.withLock { count in
                count += 1
                return count
            }
            return Self.said("", status: count > 3 ? 0 : 1)
        }
        let patient = Check.Eventually(within: .seconds(60), every: .milliseconds(1))
        #expect(try await test([Check(.exec(["/late"]), eventually: patient)], depth: .boot).isPass)
        #expect(asked.withLock { $0 } == 4)
    }

    @Test("a machine that does not boot fails, and its tests are named as not asked", .timeLimit(.minutes(1)))
    func panics() async throws {
        answer { _, _ in nil }
        let found = try await test([Check(.exec(["/check"]))], behaviour: GuestBehaviour(.panics))
        #expect(outcome("machine one: boots", found) == .failed)
        #expect(found.assertions.first?.found.contains("Kernel panic") == true, "\(found.assertions)")
        #expect(found.assertions.last?.found.contains("not asked") == true)
        try await expectNothingLeft()
    }

    @Test("a machine that does not shut down fails the second boot")
    func ignores() async throws {
        answer { _, _ in nil }
        let found = try await test(behaviour: GuestBehaviour(shutdown: .ignores))
        #expect(outcome("machine one: boots again", found) == .failed)
        try await expectNothingLeft()
    }

    @Test("a suite that never ends is cut off, and says where", .timeLimit(.minutes(3)))
    func endless() async throws {
        answer { asked, _ in
            if asked == ["/endless"] { try? await Task.sleep(for: .seconds(3600)) }
            return nil
        }
        let endless = Check(.exec(["/endless"]), timeout: .seconds(3000))
        let found = try await test([endless], depth: .boot, limit: .seconds(8))
        let last = try #require(found.assertions.last)
        // Where depends on how far a busy host got by then.
        #expect(last.outcome == .failed && last.subject == "the suite" && last.found.hasPrefix("it was cut off at: "))
        try await expectNothingLeft()
    }

    @Test("an interrupted test leaves nothing behind, and tells nothing of the image", .timeLimit(.minutes(1)))
    func interrupted() async throws {
        let (asked, begun) = AsyncStream<Void>.makeStream()
        answer { arguments, _ in
            if arguments == ["/wait"] {
                begun.yield()
                try? await Task.sleep(for: .seconds(3600))
            }
            return nil
        }
        let task = Task { try await test([Check(.exec(["/wait"]), timeout: .seconds(3000))], depth: .boot) }
        for await _ in asked { break }
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
        try await expectNothingLeft()
    }

    @Test("a host that fails is an error, and no word about the image")
    func host() async throws {
        answer { _, _ in nil }
        world.faults.fail("define", with: KilnError(.hypervisorUnreachable, "gone", exit: .unreachable))
        let error = await #expect(throws: KilnError.self) { try await test(depth: .boot) }
        #expect(error?.exit == .unreachable)
    }

    @Test("what a killed test left is removed by the next, and what another is at is not")
    func killed() async throws {
        answer { _, _ in nil }
        let spec = ServerSpec(image: try ImageReference("tiny:1"))
        try world.images.add("1")
        let server = try Name("one")
        func up(_ lab: ThrowawayLab) async throws -> MemberID {
            _ = try await world.engine.up(LabSpec(name: lab.name, volumes: [:], servers: [server: spec]))
            return MemberID(lab: lab.name, server: server)
        }
        let living = try await ThrowawayLab.make("kiln-test", engine: world.engine)
        let kept = try await up(living)
        do {
            let dead = try await ThrowawayLab.make("kiln-test", engine: world.engine)
            _ = try await up(dead)
        }
        #expect(try world.engine.members().count == 2)
        let next = try await ThrowawayLab.make("kiln-test", engine: world.engine)
        #expect(try world.engine.members() == [kept])
        try await living.remove()
        try await next.remove()
        try await expectNothingLeft()
    }

    @Test("the suite's digest changes with its tests, their settings and its depth, and with nothing else")
    func digest() throws {
        let check = Check(.exec(["/check"]))
        let first = try ImageSuite(tests: [check], depth: .full).digest
        #expect(try ImageSuite(tests: [check], depth: .full).digest == first)
        for other in [
            ImageSuite(tests: [], depth: .full), ImageSuite(tests: [check], depth: .boot),
            ImageSuite(tests: [check, check], depth: .full),
            ImageSuite(tests: [Check(.exec(["/check"]), timeout: .seconds(1))], depth: .full),
            ImageSuite(tests: [Check(.not(.exec(["/check"])))], depth: .full),
        ] { #expect(try other.digest != first) }
    }

    @Test("the ports that tests ask are published")
    func ports() async throws {
        answer { _, _ in nil }
        let port = try #require(TestedPort.name(of: 8080))
        let check = Check(.http(HTTPProbe(port: port, path: "/health")))
        #expect(ImageSuite(tests: [check], depth: .full).ports == [port: PortSpec(guest: 8080)])
        #expect(try await test([check], depth: .boot).isPass)
    }
}

/// A root that tells everything.
private struct WholeRoot: SealedRoot {
    let files: FolderRoot

    func tells(_ probe: Probe) -> Bool { true }
    func entry(_ path: RootPath) async throws -> RootEntry? { try await files.entry(path) }
    func content(_ path: RootPath, limit: Int) async throws -> [UInt8]? { try await files.content(path, limit: limit) }
    func digest(_ path: RootPath) async throws -> ImageDigest? { try await files.digest(path) }
}
