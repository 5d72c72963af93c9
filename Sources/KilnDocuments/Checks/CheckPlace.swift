import KilnModel

/// Where checks are written: what they are asked of, and the fields that every check has there.
package protocol CheckPlace: Sendable {
    /// The fields that every check has.
    associatedtype Settings: FileField
    /// How a port is written.
    static var port: JSONValue { get }
    /// What one check is called.
    static var title: String { get }
    /// Reads a port.
    func port(_ value: Value) -> Name?
    /// The check of a probe with its settings; nothing where either could not be read.
    func check(_ probe: Probe?, _ field: (Settings) -> Value?) -> Check?
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
        let isEventual = field(.eventually) != nil
        let eventually = field(.eventually)?.eventually()
        guard let probe, let timeout, isEventual == (eventually != nil) else { return nil }
        return Check(probe, timeout: timeout, hint: hint, eventually: eventually)
    }
}

extension Value {
    fileprivate func eventually() -> Check.Eventually? {
        guard let fields = Fields<EventuallyFields>(self, "a map with 'within'") else { return nil }
        let within = fields[.within]?.duration()
        let every = fields[.every].map { $0.duration() } ?? .seconds(1)
        guard let within, let every else { return nil }
        return Check.Eventually(within: within, every: every)
    }
}
