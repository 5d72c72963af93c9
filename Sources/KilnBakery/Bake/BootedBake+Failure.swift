import Foundation
import KilnEngine
import KilnModel
import KilnSystem

extension BootedBake {
    /// Keeps what a machine had on its disk where a bake failed, and says how to look at it.
    func keep(_ id: MemberID, _ machines: BakeMachines, at place: String, _ error: KilnError) async -> KilnError {
        var hints = [error.hint, "all that was said is in \(bench.log.path)"]
        if error.exit != .unreachable {
            do {
                let disk = try await keepDisk(of: id, machines)
                hints.append(
                    plan.settings.boot.isDirect
                        ? "what its machine had on its disk is kept in \(disk)"
                        : "look at what its machine had on its disk: 'kiln image add \(disk) --as \(plan.recipe.name)-failed:\(plan.version.name)'"
                )
            } catch {
                baker.tell(
                    "\(plan.title): the disk of its machine could not be kept: \(error)"
                )
            }
        }
        return KilnError(
            error.code,
            "\(plan.title) failed at \(place): \(error.message)",
            hint: hints.compactMap(\.self).joined(separator: "; "),
            cause: error.cause,
            exit: error.exit
        )
    }

    private func keepDisk(of id: MemberID, _ machines: BakeMachines) async throws -> String {
        let engine = machines.engine
        // Whatever the guest says to it, its power is cut next.
        _ = try? await engine.run(GuestCommand(["sync"], deadline: .seconds(30)), on: id)
        try await engine.stop(id, force: true)
        let console = try engine.consoleLog(id)
        return try await kept.keepDisk { disk, folder in
            try await engine.flatten(id, to: disk)
            try? FileManager.default.copyItem(atPath: console, toPath: folder + "/console.log")
        }
    }
}

extension ImageManifest.Boot {
    /// Whether kernel and initrd lie beside the disk.
    var isDirect: Bool {
        if case .direct = self { true } else { false }
    }
}
