import Foundation
import KilnModel
import KilnSystem

/// A lab that belongs to one run of one command, and goes with it.
///
/// Its lock tells whether the command still lives: what one that was killed has left, the next run takes away.
public final class ThrowawayLab: Sendable {
    /// The lab's name, which no other lab has.
    public let name: Name
    private let engine: LabEngine
    private let lock: FileLock
    private let path: String

    private static let suffix = ".lab-lock"

    /// A lab with a new name that begins with `prefix`; what runs that were killed have left of such labs is removed first.
    ///
    /// - Throws: `KilnError`.
    public static func make(_ prefix: String, engine: LabEngine) async throws -> ThrowawayLab {
        let folder = engine.state.root + "/scratch"
        try DurableFile.makeDirectory(folder)
        await removeAbandoned(prefix, engine, folder)
        let name = try Name("\(prefix)-\(String(UInt32.random(in: .min ... .max), radix: 36))")
        let path = "\(folder)/\(name)\(suffix)"
        let lock = try FileLock(path, subject: "the lab \(name)")
        return ThrowawayLab(name: name, engine: engine, lock: lock, path: path)
    }

    private init(name: Name, engine: LabEngine, lock: FileLock, path: String) {
        self.name = name
        self.engine = engine
        self.lock = lock
        self.path = path
    }

    /// Ends and removes its machines, and its volumes with what they hold; also where the command was interrupted.
    ///
    /// - Throws: `KilnError` where something could not be removed: the lab then stays, and the next run tries again.
    public func remove() async throws {
        let (engine, name, path) = (engine, name, path)
        // An unstructured task does not inherit the cancellation.
        try await Task {
            try await Self.discard(name, engine)
            try DurableFile.remove(path)
        }.value
        withExtendedLifetime(lock) {}
    }

    private static func removeAbandoned(_ prefix: String, _ engine: LabEngine, _ folder: String) async {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for file in files where file.hasPrefix(prefix + "-") && file.hasSuffix(suffix) {
            // Who holds the lock lives.
            guard let name = try? Name(String(file.dropLast(suffix.count))),
                let lock = try? FileLock("\(folder)/\(file)", subject: "the lab \(name)")
            else { continue }
            do {
                try await discard(name, engine)
                try DurableFile.remove("\(folder)/\(file)")
            } catch {
                engine.parts.progress(.note("the lab \(name) of a killed run is still there: \(error)"))
            }
            withExtendedLifetime(lock) {}
        }
    }

    private static func discard(_ name: Name, _ engine: LabEngine) async throws {
        if FileManager.default.fileExists(atPath: engine.state.lab(name)) { try await engine.down(name) }
        for volume in engine.volumes.names(of: name) {
            try engine.volumes.purge(try engine.volumes.retain(lab: name, volume))
        }
        // Nobody else has volumes of that lab, so nobody waits for their lock.
        let volumes = "\(engine.state.volumes)/\(name)"
        unlink(volumes + "/.lock")
        rmdir(volumes)
    }
}
