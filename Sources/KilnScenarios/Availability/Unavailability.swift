import KilnEngine
import KilnModel

/// For how long a server gives no answer while something is done to it.
public enum Unavailability {
    /// Does something to a server and measures meanwhile, where it serves and has an `http` probe in its `ready` list: that
    /// is what is asked.
    ///
    /// - Returns: what `body` returned, and the longest time without an answer; nothing where nobody could be asked.
    public static func measured<Result: Sendable>(
        of id: ServerID,
        _ engine: LabEngine,
        _ network: any NetworkProbe,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> (Result, Duration?) {
        // What is wrong with the server, `body` will tell.
        guard let target = try? await target(of: id, engine) else { return (try await body(), nil) }
        let (result, gap) = try await AvailabilityMeter(target, network: network).measure(body)
        return (result, gap)
    }

    private static func target(of id: ServerID, _ engine: LabEngine) async throws -> AvailabilityMeter.Target? {
        let ports = try await engine.status(id).ports
        for check in try engine.servingSpec(of: id)?.ready ?? [] {
            if case .http(let probe) = check.probe, let port = ports[probe.port] {
                return AvailabilityMeter.Target(probe, port: port.host, timeout: check.timeout)
            }
        }
        return nil
    }
}
