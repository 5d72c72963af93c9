import KilnEngine
import KilnModel

/// What users of a server see while something is done to it.
public enum Unavailability {
    /// Does something to a server and measures meanwhile, where it serves and has an `http` probe in its `ready` list: that
    /// is what is asked.
    ///
    /// - Parameters:
    ///   - rate: requests a second.
    ///   - control: how long the service is watched before and after.
    ///   - version: where an answer says which version gave it.
    /// - Returns: what `body` returned, and the log of all requests; nothing where nobody could be asked.
    public static func log<Result: Sendable>(
        of id: ServerID,
        _ engine: LabEngine,
        _ network: any NetworkProbe,
        rate: Int = AvailabilityPlan.usualRate,
        control: Duration = .seconds(1),
        version: AvailabilityPlan.VersionPlace? = nil,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> (Result, AvailabilityLog?) {
        // What is wrong with the server, `body` will tell.
        guard let (check, probe, port) = try? await target(of: id, engine) else { return (try await body(), nil) }
        let plan = AvailabilityPlan(
            probe,
            port: port,
            timeout: check.timeout,
            rate: rate,
            control: control,
            version: version
        )
        let (result, log) = try await AvailabilityMeter(plan, network: network).measure(body)
        return (result, log)
    }

    private static func target(of id: ServerID, _ engine: LabEngine) async throws -> (Check, HTTPProbe, UInt16)? {
        let ports = try await engine.status(id).ports
        for check in try engine.servingSpec(of: id)?.ready ?? [] {
            if case .http(let probe) = check.probe, let port = ports[probe.port] { return (check, probe, port.host) }
        }
        return nil
    }
}
