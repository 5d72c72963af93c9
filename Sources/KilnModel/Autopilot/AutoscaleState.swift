/// What an autopilot knows of the load of a lab's servers, and of how it let members come and go.
///
/// It decides as Kubernetes' autoscaler does: as many are wanted as would each have what the server's `target` says, where what
/// they have is more than a tenth off. More come once that was measured for ``AutoscaleSpec/window``, but at most as many as there
/// are. They go one by one, each once fewer were wanted for all of ``AutoscaleSpec/calm``.
///
/// What was measured counts only while the server is undisturbed: all its members serve, and nobody misses a look.
public struct AutoscaleState: Sendable, Hashable {
    /// How long it is until the next look.
    public let beat: Duration
    /// Whether nobody looks again, so that what is seen is taken to last.
    public let isOnlyLook: Bool

    private(set) var traces: [ServerID: AutoscaleTrace] = [:]
    /// What was begun and has not ended.
    private(set) var open: [ServerID: AutoscaleMove] = [:]
    /// When members came or went last, or could not.
    private(set) var latest: [ServerID: Duration] = [:]
    /// How often in a row they could not.
    private(set) var failures: [ServerID: Int] = [:]
    private var lastLook: Duration?

    /// The state of an autopilot that has done nothing yet in this life of the host.
    ///
    /// - Parameter open: what was begun before that and never ended; the lab may have any part of it.
    public init(beat: Duration, isOnlyLook: Bool = false, open: [ServerID: AutoscaleMove] = [:]) {
        self.beat = beat
        self.isOnlyLook = isOnlyLook
        self.open = open
    }

    /// Takes in the next event of the journal; those about single members mean nothing to it.
    public mutating func apply(_ event: AutopilotEvent) {
        switch event {
        case .scaling(let move, _): open[move.server] = move
        case .scaled(let server, let end, let at):
            open[server] = nil
            switch end {
            case .left: return
            case .done: failures[server] = nil
            case .failed: failures[server, default: 0] += 1
            }
            latest[server] = at
        case .began, .ended, .gaveUp, .serves: break
        }
    }

    /// Takes in a look.
    ///
    /// After a gap, as ``AutopilotState/look(_:)`` tells one, everything that is measured begins anew.
    public mutating func look(_ observed: AutoscaleObservation) {
        if isAfterGap(observed) { traces = [:] }
        lastLook = observed.now
        for (id, server) in observed.servers {
            traces[id] = observed.busy.contains(id) ? nil : trace(id, server)
        }
        for id in traces.keys where observed.servers[id] == nil { traces[id] = nil }
    }

    /// Whether a look comes too late for what was measured before to count.
    public func isAfterGap(_ observed: AutoscaleObservation) -> Bool {
        AutopilotState.isGap(
            since: lastLook,
            began: observed.began,
            now: observed.now,
            beat: beat,
            patience: observed.patience
        )
    }

    private func trace(_ id: ServerID, _ server: AutoscaleObservation.Server) -> AutoscaleTrace? {
        guard server.isUnsteady == nil, let load = server.load else { return nil }
        let known = traces[id].flatMap { $0.isGoneOnWith(server, load) ? $0 : nil }
        var trace = known ?? AutoscaleTrace(server, process: load.process)
        trace.add(load, at: server.loadTime, isOnlyLook: isOnlyLook)
        return trace
    }
}
