/// What was seen of a server's load since the server was disturbed last.
struct AutoscaleTrace: Sendable, Hashable {
    /// What a front told at a look.
    struct Sample: Sendable, Hashable {
        let time: Duration
        let answered: Int
        let waiting: Int
    }

    /// A number that followed at a look, within the server's limits.
    struct Wanted: Sendable, Hashable {
        let time: Duration
        let number: Int
    }

    let spec: AutoscaleSpec
    let replicas: Int
    let process: Int32
    /// The samples of the window, oldest first.
    private var samples: [Sample] = []
    /// What was wanted by each window within the last ``AutoscaleSpec/calm``.
    private var wanted: [Wanted] = []
    /// Since when it is known what is wanted.
    private(set) var since: Duration?

    init(_ server: AutoscaleObservation.Server, process: Int32) {
        spec = server.spec
        replicas = server.replicas
        self.process = process
    }

    /// Whether a look goes on with what was seen before.
    func isGoneOnWith(_ server: AutoscaleObservation.Server, _ load: FrontLoad) -> Bool {
        spec == server.spec && replicas == server.replicas && process == load.process
            && samples.last.map { $0.answered <= load.answered && $0.time <= server.loadTime } ?? true
    }

    /// Takes in what a front told.
    ///
    /// - Parameter isOnlyLook: whether nobody looks again, so that the window is what there is.
    mutating func add(_ load: FrontLoad, at time: Duration, isOnlyLook: Bool) {
        samples.append(Sample(time: time, answered: load.answered, waiting: load.waiting))
        // The oldest is the last one before the window, so that these together are no shorter.
        while samples.count > 2, time - samples[1].time >= spec.window { samples.removeFirst() }
        wanted.removeAll { time - $0.time > spec.calm - spec.window }
        guard let figures = figures(isOnlyLook: isOnlyLook) else { return }
        since = since ?? time
        wanted.append(Wanted(time: time, number: spec.allowed(figures.wanted)))
    }

    /// The most that were wanted in that time.
    var highest: Int? { wanted.map(\.number).max() }

    /// What was measured; nothing before that took long enough.
    func figures(isOnlyLook: Bool) -> AutoscaleFigures? {
        guard let first = samples.first, let last = samples.last, last.time > first.time else { return nil }
        let time = last.time - first.time
        guard isOnlyLook || time >= spec.window else { return nil }
        let load =
            switch spec.target {
            case .requests: Double(last.answered - first.answered) / (time / .seconds(1))
            case .queue: Double(samples.map(\.waiting).reduce(0, +)) / Double(samples.count)
            }
        return AutoscaleFigures(load: load, serving: replicas, target: spec.target, window: time)
    }
}
