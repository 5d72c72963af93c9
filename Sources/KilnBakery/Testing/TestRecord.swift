import KilnModel

/// What a test of an image has found so far, and what it is at.
actor TestRecord {
    private(set) var assertions: [Assertion] = []
    private(set) var current = "nothing yet"

    func begin(_ what: String) { current = what }

    func add(_ found: [Assertion]) { assertions += found }

    func add(_ found: Assertion) { assertions.append(found) }
}

extension Assertion {
    /// Something that a machine showed.
    static func booted(
        _ subject: String,
        expected: String,
        found: String,
        _ holds: Bool,
        since begin: ContinuousClock.Instant
    ) -> Assertion {
        Assertion(
            subject: subject,
            expected: expected,
            found: found,
            outcome: holds ? .passed : .failed,
            place: .booted,
            seconds: (ContinuousClock.now - begin) / .seconds(1)
        )
    }

    /// The same that held only the second time.
    func flaky(after first: String) -> Assertion {
        Assertion(
            subject: subject,
            expected: expected,
            found: "\(found), but at first: \(first)",
            outcome: .flaky,
            place: place,
            seconds: seconds
        )
    }
}
