import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnBakery
@testable import KilnStore

@Suite("Bakes in a machine", .timeLimit(.minutes(2)))
struct BootedBakeTests {
    @Test("steps are done in order in one machine, which is cleaned, shut down and taken; nothing else is left")
    func inOrder() async throws {
        let baked = try BootedWorld(provision: "[{ shell: one.sh }, { files: { from: one.sh, to: /etc/one } }]")
        let calls = Mutex<[String]>([])
        for call in ["start", "requestShutdown", "flatten"] {
            baked.world.faults.before(call) { calls.withLock { $0.append(call) } }
        }
        baked.run { _ in (0, "hello\n") }
        let image = try await baked.bake()
        let actions = baked.actions
        #expect(actions.filter { $0 == "open" }.count == 2, "each step has a room with its own files only")
        let programs = actions.filter { $0.hasPrefix("exec ") || $0.hasPrefix("clean") }
        #expect(programs.count == 3 && programs[0] == "exec ./one.sh", "\(programs)")
        #expect(programs[1].contains("/etc/one") && programs[2].hasPrefix("clean web 1 "), "\(programs)")
        #expect(calls.withLock { $0 } == ["start", "requestShutdown", "flatten"])
        #expect(baked.lines.contains { $0.hasSuffix("hello") })
        #expect(baked.lines.contains { $0.contains("none is reused; boots tiny:1 once: about 3 min without KVM") })
        #expect(try await baked.left() == [])

        let manifest = image.manifest
        #expect(manifest.boot == .firmware(.uefi) && manifest.parent == baked.parent.manifest.digest)
        #expect(manifest.origin?.steps.map(\.kind) == ["from", "shell", "files", "cleaning"])
        #expect(manifest.origin?.notReproducible.contains { $0.contains("in a machine") } == true)
        #expect(try manifest.recipe == baked.plan.key)
    }

    @Test("files of a recipe that a step needs are nobody's to read on this host, in the first step and in any other")
    func closed() async throws {
        let baked = try BootedWorld(provision: "[{ shell: one.sh }, { shell: two.sh }]")
        let store = baked.store
        let modes = Mutex<[Int]>([])
        baked.run { _ in
            for folder in (try? FileManager.default.contentsOfDirectory(atPath: store.work)) ?? [] {
                var found = stat()
                guard lstat("\(store.work)/\(folder)/scratch", &found) == 0 else { continue }
                modes.withLock { $0.append(Int(found.st_mode & 0o777)) }
            }
            return (0, "")
        }
        _ = try await baked.bake()
        let seen = modes.withLock { $0 }
        #expect(seen.count >= 2 && Set(seen) == [0o700], "\(seen)")
    }

    @Test("the next boot's time is told from the last one's")
    func estimate() async throws {
        let baked = try BootedWorld()
        _ = try await baked.bake()
        let platform = baked.world.parts().machines.platform
        let known = BootEstimate(store: baked.store, image: baked.parent.manifest, platform: platform)
        #expect(known.text.hasSuffix("as the last time"))
        known.note(200)
        #expect(known.text == "about 4 min, as the last time")
    }

    @Test("an image whose kernel lies beside its disk keeps that")
    func direct() async throws {
        let baked = try BootedWorld(firmware: nil)
        try Data([7]).write(to: URL(fileURLWithPath: try #require(baked.parent.kernel)))
        let image = try await baked.bake()
        #expect(image.manifest.boot == .direct(commandLine: "console=ttyS0"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: try #require(image.kernel))) == Data([7]))
    }

    @Test("all of it is one key: that of the parent, of each step, and of the room")
    func key() throws {
        let booted = try BootedWorld()
        let key = try booted.plan.key
        #expect(try booted.plan.key == key)
        _ = try booted.folder.file("Images/web/one.sh", Array("#!/bin/sh\necho\n".utf8))
        #expect(try booted.plan.key != key)
        let direct = try BootedWorld(firmware: nil)
        let recipe = direct.folder.path + "/Images/web/image.yaml"
        let before = try direct.plan.key
        let text = try String(contentsOfFile: recipe, encoding: .utf8).replacing("bake: booted\n", with: "")
        try Data(text.utf8).write(to: URL(fileURLWithPath: recipe))
        #expect(try direct.plan.key != before)
    }

    @Test("a step that fails is named, and what the machine had on its disk is kept, and nothing else")
    func fails() async throws {
        let baked = try BootedWorld(provision: "[{ shell: one.sh }, { shell: two.sh }]")
        baked.run { $0.contains("two") ? (3, "no such thing\u{1b}[2J\n") : (0, "") }
        let error = await #expect(throws: KilnError.self) { try await baked.bake() }
        #expect(error?.code == .bakeStepFailed && error?.exit == .aborted)
        #expect(
            error?.message.hasPrefix("web:1 failed at step 3, shell two.sh: ./two.sh ended with exit status 3") == true
        )
        #expect(error?.cause?.contains("no such thing") == true && error?.cause?.contains("\u{1b}") == false)
        let disk = baked.store.root + "/kept/web/1/disk.qcow2"
        #expect(error?.hint?.contains("kiln image add \(disk) --as web-failed:1") == true, "\(error?.hint ?? "")")
        #expect(FileManager.default.fileExists(atPath: disk))
        #expect(try await baked.left() == [] && baked.store.list().isEmpty)
        let kept = KeptTree(store: baked.store, name: try Name("web"), version: "1")
        let enter = #expect(throws: KilnError.self) { try kept.shell() }
        #expect(enter?.message.contains("no tree to enter") == true)
        var options = Baker.Options()
        options.fromStep = 2
        #expect(await #expect(throws: KilnError.self) { try await baked.bake(options) }?.code == .bakeNothingKept)
        baked.run { _ in (0, "") }
        _ = try await baked.bake()
        #expect(!FileManager.default.fileExists(atPath: disk))
    }

    @Test("a step that never ends is ended in the machine")
    func deadline() async throws {
        let baked = try BootedWorld(provision: "[{ shell: { run: one.sh, timeout: 1s } }]")
        baked.run { _ in nil }
        let error = await #expect(throws: KilnError.self) { try await baked.bake() }
        #expect(error?.code == .bakeStepDeadline && error?.exit == .deadline)
        #expect(baked.actions.contains("end"))
        #expect(try await baked.left() == [])
    }

    @Test(
        "where a machine does not become ready, shut down, or give its disk, nothing is left",
        arguments: Phase.allCases
    )
    func phases(_ phase: Phase) async throws {
        let baked = try BootedWorld(phase.behaviour)
        if let call = phase.call {
            baked.world.faults.fail(call, with: KilnError(.diskFull, "full", exit: .aborted))
        }
        if phase == .cleaning { baked.run { $0 == "clean" ? (75, "the root can't be made read-only") : (0, "") } }
        let error = await #expect(throws: (any Error).self) { try await baked.bake() }
        if let code = phase.code { #expect((error as? KilnError)?.code == code, "\(String(describing: error))") }
        #expect(try await baked.left() == [] && baked.store.list().isEmpty)
    }

    enum Phase: String, CaseIterable, Sendable {
        case booting, degrading, stopping, flattening, layering, cleaning

        var behaviour: GuestBehaviour {
            switch self {
            case .booting: GuestBehaviour(.panics)
            case .degrading: GuestBehaviour(.cloudInitFails)
            case .stopping: GuestBehaviour(shutdown: .ignores)
            default: GuestBehaviour()
            }
        }
        var call: String? {
            switch self {
            case .flattening: "flatten"
            case .layering: "createLayer"
            default: nil
            }
        }
        var code: ErrorCode? {
            switch self {
            case .booting, .degrading: .bakeNoMachine
            case .stopping: .stopTimeout
            case .flattening: .diskFull
            case .cleaning: .bakeNotCleaned
            case .layering: nil
            }
        }
    }

    @Test("an interrupted bake leaves nothing, not even a disk to look at")
    func interrupted() async throws {
        let baked = try BootedWorld()
        let (begun, began) = AsyncStream<Void>.makeStream()
        baked.run { _ in
            began.yield()
            return nil
        }
        let task = Task { try await baked.bake() }
        for await _ in begun { break }
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
        #expect(try await baked.left() == [])
        #expect(!FileManager.default.fileExists(atPath: baked.store.root + "/kept/web/1"))
    }

    @Test("a machine has a network only where a step asks for it, and a step that does not is run without")
    func network() async throws {
        let alone = try BootedWorld()
        let seen = Mutex<[ServerSpec.Network]>([])
        alone.world.faults.before("flatten") {
            #expect(alone.world.hypervisor.links == [])
        }
        alone.world.faults.before("requestShutdown") {
            let machines = alone.world.hypervisor.alive
            seen.withLock { $0 += machines.compactMap { alone.world.hypervisor.spec($0)?.network } }
        }
        _ = try await alone.bake()
        #expect(seen.withLock { $0 } == [.isolated])

        let mixed = try BootedWorld(provision: "[{ shell: { run: one.sh, network: true } }, { shell: two.sh }]")
        _ = try await mixed.bake()
        #expect(mixed.world.hypervisor.links == [true, false])
        #expect(mixed.actions.contains("online") && mixed.actions.contains("alive"))
    }

    @Test("a step changes no kernel that lies beside the disk")
    func modules() async throws {
        let baked = try BootedWorld(firmware: nil)
        baked.world.faults.before("copyRoot") {
            let program = baked.actions.contains { $0.hasPrefix("exec ") }
            guard program, let machine = baked.world.hypervisor.alive.first,
                let path = RootPath("/usr/lib/modules/6.1/new.ko"), let spec = baked.world.hypervisor.spec(machine)
            else { return }
            let entry = RootEntry(kind: .file, mode: 0o644, user: 0, group: 0)
            baked.world.roots.set(RootListing(entries: [path: entry], packages: [:]), of: spec.root.path)
        }
        let error = await #expect(throws: KilnError.self) { try await baked.bake() }
        #expect(error?.code == .bakeModulesChanged)
    }

    @Test("a second run of a tool that changes a path fails, unless the machine writes there by itself")
    func repeatable() async throws {
        for (path, isFailure) in [("/etc/changed", true), ("/var/log/syslog", false)] {
            let baked = try BootedWorld(provision: "[{ chef: { folder: chef, run-list: ['recipe[web]'] } }]")
            let runs = Mutex(0)
            baked.run { _ in
                runs.withLock { $0 += 1 }
                return (0, "")
            }
            baked.world.faults.before("copyRoot") {
                guard let machine = baked.world.hypervisor.alive.first, let path = RootPath(path),
                    let spec = baked.world.hypervisor.spec(machine)
                else { return }
                let entry = RootEntry(
                    kind: .file,
                    mode: 0o644,
                    user: 0,
                    group: 0,
                    size: UInt64(runs.withLock { $0 })
                )
                baked.world.roots.set(RootListing(entries: [path: entry], packages: [:]), of: spec.root.path)
            }
            let code = await #expect(throws: (any Error).self) {
                _ = try await baked.bake()
                throw KilnError(.bakeNothingKept, "it was baked", exit: .usage)
            }
            #expect((code as? KilnError)?.code == (isFailure ? .bakeNotRepeatable : .bakeNothingKept), "\(path)")
        }
    }

    @Test("mirrors and proxies of this host's loopback are named as the machine reaches them")
    func loopback() {
        let text = "deb http://127.0.0.1:8080/debian trixie\nAcquire::http::Proxy \"http://localhost/\";\n"
        let found = AptInstallation.reaching("10.0.2.2", text + "https://localhost.example/ http://127.0.0.10/")
        #expect(found.contains("http://10.0.2.2:8080/debian") && found.contains("\"http://10.0.2.2/\""))
        #expect(found.contains("https://localhost.example/ http://127.0.0.10/"))
        // A tree has this host's own network.
        let all = text + "http://[::1]:3142/\n"
        #expect(AptInstallation.reaching(nil, all) == all)
    }
}
