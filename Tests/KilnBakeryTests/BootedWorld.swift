import Foundation
import KilnEngine
import KilnModel
import KilnTestSupport
import Synchronization

@testable import KilnBakery
@testable import KilnStore

/// A recipe `web` that is baked in a machine of `tiny:1`, on fakes, into a store of its own.
final class BootedWorld: Sendable {
    let world: FakeWorld
    let folder: TemporaryDirectory
    let store: ImageStore
    let parent: StoredImage
    private let told = Mutex<[String]>([])
    private let asked = Mutex<[String]>([])
    /// The status with which a program ends, and what it says; by its command line.
    private let programs = Mutex<@Sendable (String) async throws -> (Int32, String)?>({ _ in (0, "") })

    init(
        _ behaviour: GuestBehaviour = GuestBehaviour(),
        provision: String = "[{ shell: one.sh }]",
        more: String = "",
        firmware: ImageManifest.Firmware? = .uefi
    ) throws {
        world = try FakeWorld()
        folder = try TemporaryDirectory()
        store = ImageStore(root: folder.path + "/store")
        parent = try world.images.add("1", behaviour, firmware: firmware)
        let text = """
            kiln-image: 1
            name: web
            about: A server.
            from: tiny:1
            bake: booted
            provision: \(provision)
            versions: { "1": { GREETING: "it's" } }
            \(more)
            """
        _ = try folder.file("Images/web/image.yaml", Array(text.utf8))
        _ = try folder.file("Images/web/chef/cookbooks/web/recipes/default.rb", [])
        for name in ["one.sh", "two.sh"] {
            chmod(try folder.file("Images/web/\(name)", Array("#!/bin/sh\n".utf8)), 0o755)
        }
        world.guests.reply { [weak self] arguments, machine in try? await self?.reply(arguments, machine) }
    }

    var recipe: Recipe { get throws { try Recipe(folder: folder.path + "/Images/web") } }

    var plan: BakePlan {
        get throws {
            let recipe = try recipe
            return try BakePlan(recipe, recipe.versions[0], parent: parent, tools: BakeTools(versions: [:]))
        }
    }

    /// Says how programs of steps end; nothing means that they never do.
    func run(_ programs: @escaping @Sendable (String) async throws -> (Int32, String)?) {
        self.programs.withLock { $0 = programs }
    }

    func bake(_ options: Baker.Options = Baker.Options()) async throws -> StoredImage {
        let machines = BakeMachines(engine: world.engine, parts: world.parts())
        let baker = Baker(store: store, roots: UnlistedRoots(), machines: machines) { line in
            self.told.withLock { $0.append(line) }
        }
        return try await BakeRun(baker: baker, plan: try plan, options: options).run()
    }

    /// What people were told.
    var lines: [String] { told.withLock { $0 } }
    /// What the guest was asked to do, in order: actions of the room, programs, `clean`.
    var actions: [String] { asked.withLock { $0 } }

    private func note(_ action: String) { asked.withLock { $0.append(action) } }

    private func reply(_ arguments: [String], _ machine: MachineID) async throws -> GuestCommandResult? {
        guard arguments.count > 6, arguments[3] == "kiln-room" else { return nil }
        let action = arguments[6]
        switch action {
        case "booted":
            note("clean \(arguments[4]) \(arguments[5]) \(arguments[9])")
            let (status, text) = try await programs.withLock({ $0 })("clean") ?? (0, "")
            return GuestCommandResult(status: status, output: [], errors: Array(text.utf8))
        case "start":
            let program = try await world.guests.read("\(arguments[4])/run/program", in: machine, limit: 1 << 20) ?? []
            let lines = String(decoding: program, as: UTF8.self).split(separator: "\n")
            note(lines.drop { !$0.hasPrefix("exec ") }.joined(separator: " "))
            return BootedWorld.said("")
        case "told":
            let last = actions.last { $0.hasPrefix("exec ") } ?? ""
            guard let (status, text) = try await programs.withLock({ $0 })(last) else {
                return BootedWorld.said("running\n")
            }
            return BootedWorld.said("\(status)\n" + text.dropFirst(Int(arguments[7]) ?? 0))
        default:
            note(([action] + arguments.dropFirst(7)).joined(separator: " "))
            return BootedWorld.said("")
        }
    }

    private static func said(_ text: String) -> GuestCommandResult {
        GuestCommandResult(status: 0, output: Array(text.utf8), errors: [])
    }

    /// What of the bake's lab is left.
    func left() async throws -> [String] {
        var left = try await world.hypervisor.machines().keys.map(\.description)
        left += try world.engine.members().map(\.description)
        for folder in ["labs", "volumes", "scratch", "retained"] {
            let names = try? FileManager.default.subpathsOfDirectory(atPath: "\(world.state.root)/\(folder)")
            left += (names ?? []).filter { $0.contains("kiln-bake") }
        }
        return left + ((try? FileManager.default.contentsOfDirectory(atPath: store.work)) ?? [])
    }
}
