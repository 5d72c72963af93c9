import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import Synchronization

/// External services that do nothing but be there.
public final class FakeExternals: ExternalControl {
    /// The password of each.
    public static let password = "Secret7Of4External2"

    private struct World {
        var running: [ExternalID: ExternalSpec] = [:]
        var ended: [ExternalID] = []
        var refusal: KilnError?
        var port: UInt16 = 21_000
    }

    private let faults: Faults
    private let state: StateDirectory
    private let world = Mutex(World())

    init(_ faults: Faults, _ state: StateDirectory) {
        self.faults = faults
        self.state = state
    }

    /// Those that run.
    public var running: [ExternalID: ExternalSpec] { world.withLock { $0.running } }

    /// Those that were ended, in order.
    public var ended: [ExternalID] { world.withLock { $0.ended } }

    /// Lets every start from now on be refused.
    public func refuse(_ error: KilnError) { world.withLock { $0.refusal = error } }

    /// Notes that it runs, and how it is reached.
    public func start(
        _ id: ExternalID,
        _ spec: ExternalSpec,
        besides taken: Set<UInt16>
    ) async throws -> ExternalAccess {
        try faults.call("startExternal") {
            let port = try world.withLock { world in
                if let refusal = world.refusal { throw refusal }
                world.port += 1
                world.running[id] = spec
                return world.port
            }
            let access =
                switch spec {
                case .postgres(let postgres):
                    ExternalAccess(
                        port: port,
                        user: postgres.user,
                        password: FakeExternals.password,
                        database: postgres.database
                    )
                }
            try DurableFile.makeDirectory(state.external(id))
            try ExternalAccess.write(access, for: id, in: state)
            return access
        }
    }

    /// Forgets those of a lab, and what was written of them.
    public func end(of lab: Name) async throws {
        try faults.call("endExternals") {
            world.withLock { world in
                for id in world.running.keys.filter({ $0.lab == lab }).sorted() {
                    world.running[id] = nil
                    world.ended.append(id)
                }
            }
            try? FileManager.default.removeItem(atPath: state.externals(lab))
        }
    }

    /// Says what a server must not.
    public func log(_ id: ExternalID) async -> [UInt8]? {
        running[id].map { _ in Array("it said \(FakeExternals.password)\n".utf8) }
    }
}
