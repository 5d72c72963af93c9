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
    ///   - awaitsLast: whether requests that still wait when it is over are waited for.
    /// - Returns: what `body` returned, and the log of all requests; nothing where nobody could be asked.
    public static func log<Result: Sendable>(
        of id: MemberID,
        _ engine: LabEngine,
        _ network: any NetworkProbe,
        rate: Int = AvailabilityPlan.usualRate,
        control: Duration = .seconds(1),
        version: AvailabilityPlan.VersionPlace? = nil,
        awaitsLast: Bool = true,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> (Result, AvailabilityLog?) {
        // What is wrong with the server, `body` will tell.
        guard let (check, probe, port, hold) = try? await target(of: id, engine) else { return (try await body(), nil) }
        let plan = AvailabilityPlan(
            probe,
            port: port,
            timeout: check.timeout,
            rate: rate,
            control: control,
            version: version,
            awaitsLast: awaitsLast,
            hold: hold
        )
        let (result, log) = try await AvailabilityMeter(plan, network: network).measure(body)
        return (result, log)
    }

    /// Why nothing can be measured of a server, in a sentence; nothing where it can, or where it does not serve.
    public static func obstacle(of id: MemberID, _ engine: LabEngine) async -> String? {
        guard let spec = try? engine.servingSpec(of: id), (try? await target(of: id, engine)) == nil else { return nil }
        let isProbed = spec.ready.contains { if case .http = $0.probe { true } else { false } }
        return isProbed
            ? "its 'http' probe has no published port that could be asked"
            : "it has no 'http' probe in its 'ready' list, which is what would be asked"
    }

    private static func target(
        of id: MemberID,
        _ engine: LabEngine
    ) async throws -> (Check, HTTPProbe, UInt16, hold: Duration?)? {
        let ports = try await engine.status(id).ports
        let spec = try engine.servingSpec(of: id)
        for check in spec?.ready ?? [] {
            guard case .http(let probe) = check.probe, let port = ports[probe.port] else { continue }
            return (check, probe, port.host, spec?.heldPorts[probe.port] == nil ? nil : spec?.hold)
        }
        return nil
    }
}
