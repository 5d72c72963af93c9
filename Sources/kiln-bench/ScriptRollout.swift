import Foundation
import KilnModel
import KilnStore

/// A rollout as somebody would write it who has virsh and HAProxy and knows what to do: one member after the other.
///
/// Each is drained, shut down, started again from the other image with its volume, and waited for by HAProxy's own
/// checks. There is no journal and no way back. The machines are those of ``Script``.
struct ScriptRollout: Sendable {
    private let members: [Script]
    private let proxy: ScriptProxy
    private let patience: Duration

    /// How long a drained member has to end what it has begun.
    private static let drain = Duration.seconds(1)

    /// - Parameter ports: the published one, and then one for each member.
    init(processor: RawMachine.Processor, home: PrivateHome, ports: [UInt16], patience: Duration) throws {
        guard let port = ports.first else { throw Failure("the script has no port") }
        members = try ports.dropFirst().enumerated().map { index, port in
            try Script("script-\(index)", processor: processor, home: home, port: port, patience: patience)
        }
        proxy = ScriptProxy(directory: home.path + "/script-front", port: port, members: Array(ports.dropFirst()))
        self.patience = patience
    }

    /// Boots members of one image and brings them to the other; once more where a guest's kernel has crashed.
    func rollSoundly(_ old: StoredImage, to new: StoredImage, volume size: ByteCount) async throws -> RolloutSample {
        do {
            return try await roll(old, to: new, volume: size)
        } catch is ScriptMachine.KernelPanic {
            try await clear()
            return try await roll(old, to: new, volume: size)
        }
    }

    private func roll(_ old: StoredImage, to new: StoredImage, volume size: ByteCount) async throws -> RolloutSample {
        let (before, after) = (machines("old", of: old), machines("new", of: new))
        for (index, script) in members.enumerated() {
            try await script.makePlace(volume: size)
            for machine in [before[index], after[index]] { try await machine.writeTexts() }
            try await script.prepare(before[index])
            try await script.start(before[index])
        }
        try await proxy.start()
        for (index, machine) in before.enumerated() {
            try await proxy.wait(until: .up, index, within: patience, check: machine.requireSound)
        }
        let watched = try await OpenLoopClient.watching(port: proxy.port) {
            for index in members.indices { try await replace(index, before[index], by: after[index]) }
        }
        try await clear()
        return RolloutSample(watched)
    }

    private func replace(_ index: Int, _ old: ScriptMachine, by new: ScriptMachine) async throws {
        let script = members[index]
        try await script.prepare(new)
        try proxy.set(index, "drain")
        // As scripts do; HAProxy tells of no event.
        try await Task.sleep(for: ScriptRollout.drain)
        try await script.shutDown(old)
        // Without this HAProxy would still take it for up when it is told to send requests again.
        try await proxy.wait(until: .down, index, within: patience) {}
        try await script.start(new)
        try proxy.set(index, "ready")
        try await proxy.wait(until: .up, index, within: patience, check: new.requireSound)
    }

    private func machines(_ generation: String, of image: StoredImage) -> [ScriptMachine] {
        members.enumerated().map { ScriptMachine(name: "\(generation)-\($0)", image: image, script: $1) }
    }

    private func clear() async throws {
        proxy.end()
        for (index, script) in members.enumerated()
        where FileManager.default.fileExists(atPath: script.directory) {
            try await script.clear(["old-\(index)", "new-\(index)"])
        }
    }
}
