import KilnModel

/// Where checks are written: what they are asked of, and the fields that every check has there.
package protocol CheckPlace: Sendable {
    /// The fields that every check has.
    associatedtype Settings: FileField
    /// Where the parts of `any` and `all` are written.
    associatedtype Part: CheckPlace
    /// The place of its parts.
    var part: Part { get }
    /// How a port is written.
    static var port: JSONValue { get }
    /// What one check is called.
    static var title: String { get }
    /// Reads a port.
    func port(_ value: Value) -> Name?
    /// The check of a probe with its settings; nothing where either could not be read.
    func check(_ probe: Probe?, _ field: (Settings) -> Value?) -> Check?
}

extension CheckPlace {
    package var part: PartChecks<Self> { PartChecks(whole: self) }
}

/// The parts of an `any` or `all`, whose settings are those of the whole.
package struct PartChecks<Whole: CheckPlace>: CheckPlace {
    let whole: Whole

    package static var port: JSONValue { Whole.port }
    package static var title: String { "probe" }
    package var part: PartChecks { self }

    package func port(_ value: Value) -> Name? { whole.port(value) }

    package func check(_ probe: Probe?, _ field: (PartFields) -> Value?) -> Check? { probe.map { Check($0) } }
}

/// The checks of a server that publishes some ports: `ready`, `warm-ready` and `verify`.
package struct ServerChecks: CheckPlace {
    private let ports: [Name]

    package init(ports: [Name]) { self.ports = ports }

    package static var port: JSONValue { Schema.name("A published port of the server.") }
    package static let title = "probe"

    package func port(_ value: Value) -> Name? { value.reference("port of this server", among: ports) }

    // All is read before anything is given up, so that all problems are reported.
    package func check(_ probe: Probe?, _ field: (CheckFields) -> Value?) -> Check? {
        let every = field(.every)?.duration()
        let timeout = field(.timeout).map { $0.duration() } ?? Check.usualTimeout
        let successes = field(.successes).map { $0.whole(in: 1...100) } ?? 1
        let failures = field(.failures).map { $0.whole(in: 1...100) } ?? 3
        let hint = field(.hint)?.text()
        guard let probe, let timeout, let successes, let failures else { return nil }
        return Check(probe, every: every, timeout: timeout, successes: successes, failures: failures, hint: hint)
    }
}

/// The checks of a step in a scenario: of a server that publishes some ports, looked at once.
package struct ScenarioChecks: CheckPlace {
    private let ports: [Name]

    package init(ports: [Name]) { self.ports = ports }

    package static var port: JSONValue { ServerChecks.port }
    package static let title = "check"

    package func port(_ value: Value) -> Name? { ServerChecks(ports: ports).port(value) }

    package func check(_ probe: Probe?, _ field: (TestFields) -> Value?) -> Check? {
        ImageTests().check(probe, field)
    }
}

/// The tests of an image; nobody publishes a port yet, so they name those of the guest.
package struct ImageTests: CheckPlace {
    package init() {}

    package static var port: JSONValue { Schema.whole(1...65_535, "The TCP port that the guest listens on.") }
    package static let title = "test"

    package func port(_ value: Value) -> Name? {
        value.whole(in: 1...65_535).flatMap { TestedPort.name(of: UInt16($0)) }
    }

    package func check(_ probe: Probe?, _ field: (TestFields) -> Value?) -> Check? {
        let timeout = field(.timeout).map { $0.duration() } ?? Check.usualTimeout
        let hint = field(.hint)?.text()
        let times = [field(.eventually), field(.always), field(.never)].compactMap(\.self)
        for time in times.dropFirst() { time.problem("one of 'eventually', 'always' and 'never' at most") }
        let eventually = field(.eventually)?.eventually()
        let always = (field(.always) ?? field(.never))?.always()
        guard let probe, let timeout, times.count == (eventually == nil ? 0 : 1) + (always == nil ? 0 : 1) else {
            return nil
        }
        guard let never = field(.never) else {
            return Check(probe, timeout: timeout, hint: hint, eventually: eventually, always: always)
        }
        guard probe.isNegatable else {
            never.problem("nothing can tell that \(probe) does not hold")
            return nil
        }
        return Check(.not(probe), timeout: timeout, hint: hint, always: always)
    }
}

extension Value {
    /// For how long something has to hold, or must not.
    package func always() -> Check.Always? {
        guard let fields = Fields<AlwaysFields>(self, "a map with 'for'") else { return nil }
        let through = fields[.through]?.duration()
        let every = fields[.every].map { $0.duration() } ?? .seconds(1)
        guard let through, let every else { return nil }
        return Check.Always(through: through, every: every)
    }

    /// For how long something may fail first.
    package func eventually() -> Check.Eventually? {
        guard let fields = Fields<EventuallyFields>(self, "a map with 'within'") else { return nil }
        let within = fields[.within]?.duration()
        let every = fields[.every].map { $0.duration() } ?? .seconds(1)
        guard let within, let every else { return nil }
        return Check.Eventually(within: within, every: every)
    }
}
