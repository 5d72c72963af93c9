import KilnModel
import KilnSystem

/// One attribute of something that was looked at, with what was expected and found.
struct Observation: Sendable, Hashable {
    /// What is known of it.
    enum Verdict: Sendable, Hashable {
        /// It is as expected.
        case holds
        /// It is not as expected.
        case fails
        /// It could not be looked at, so nothing is known.
        case unknown
        /// It is not as expected, and can't come to be any more.
        case never
        /// It is not as expected, and a command says that the data is to blame.
        case damaged
    }

    /// What was looked at, such as `file /etc/hosts`.
    let subject: String
    /// What of it, such as `mode`; nothing where it has only one side.
    let attribute: String?
    let expected: String
    let found: String
    let verdict: Verdict

    /// An attribute that was seen.
    init(_ subject: some CustomStringConvertible, _ attribute: String?, expected: String, found: String, _ holds: Bool)
    {
        self.init(subject, attribute, expected: expected, found: found, verdict: holds ? .holds : .fails)
    }

    init(
        _ subject: some CustomStringConvertible,
        _ attribute: String?,
        expected: String,
        found: String,
        verdict: Verdict
    ) {
        self.subject = subject.description
        self.attribute = attribute
        self.expected = expected
        self.found = found
        self.verdict = verdict
    }

    /// A thing of which a guest without the means does not tell.
    static func untold(_ subject: some CustomStringConvertible, expected: String, _ why: String) -> Observation {
        Observation(subject, nil, expected: expected, found: "it can't be told here: \(why)", verdict: .unknown)
    }

    /// What could not be looked at.
    static func open(_ probe: Probe, _ why: String) -> Observation {
        Observation(probe, nil, expected: "it holds", found: why, verdict: .unknown)
    }

    /// The subject with its attribute.
    var title: String { attribute.map { "\(subject): \($0)" } ?? subject }

    /// What was found, for who knows the subject.
    var remark: String { attribute.map { "\($0): expected \(expected), found \(found)" } ?? found }

    /// The observation as it is kept.
    func assertion(_ place: Assertion.Place, seconds: Double, hint: String?) -> Assertion {
        let isPassed = verdict == .holds
        let advice = hint.map { isPassed ? "" : " (\($0))" } ?? ""
        return Assertion(
            subject: title,
            expected: expected,
            found: found + advice,
            outcome: isPassed ? .passed : .failed,
            place: place,
            seconds: seconds
        )
    }
}

extension [Observation] {
    /// What is seen of a probe in time.
    ///
    /// For what does not end by itself there is a little more; whatever ends in time can tell more.
    static func of(
        _ probe: Probe,
        within limit: Duration,
        _ look: @escaping @Sendable () async -> [Observation]
    ) async -> [Observation] {
        await withTaskGroup(of: [Observation].self) { group in
            group.addTask { await look() }
            group.addTask {
                // The deadline itself, and a moment in which a look that ends at it can say what it saw.
                try? await Task.sleep(for: limit + .milliseconds(500))
                return [.open(probe, "no answer within \(limit)")]
            }
            defer { group.cancelAll() }
            return await group.next() ?? [.open(probe, "no answer")]
        }
    }

    /// What all of them together mean for who waits.
    var finding: ProbeFinding {
        let others = filter { $0.verdict != .holds }
        guard !others.isEmpty else { return .holds }
        let remark = others.map(\.remark).joined(separator: "; ")
        if others.contains(where: { $0.verdict == .never }) { return .failed(remark) }
        if others.contains(where: { $0.verdict == .damaged }) { return .dataDamaged(remark) }
        return .notYet(remark)
    }

    /// The observation that a probe, of which they are, does not hold; what could not be looked at proves nothing.
    func negated(_ probe: Probe) -> Observation {
        let (subject, expected) = (Probe.not(probe), "that does not hold")
        if let open = first(where: { $0.verdict == .unknown || $0.verdict == .never }) {
            return Observation(subject, nil, expected: expected, found: open.remark, verdict: open.verdict)
        }
        guard let other = first(where: { $0.verdict != .holds }) else {
            return Observation(subject, nil, expected: expected, found: "it holds", verdict: .fails)
        }
        return Observation(subject, nil, expected: expected, found: other.remark, verdict: .holds)
    }

    /// What is seen of each of some probes.
    static func all(_ probes: [Probe], _ look: (Probe) async -> [Observation]) async -> [Observation] {
        var seen: [Observation] = []
        for probe in probes { seen += await look(probe) }
        return seen
    }

    /// The observations as they are kept; the time is spread over them.
    func assertions(_ place: Assertion.Place, after time: Duration, hint: String?) -> [Assertion] {
        let seconds = time / .seconds(1) / Double(Swift.max(count, 1))
        return map { $0.assertion(place, seconds: seconds, hint: hint) }
    }
}

extension Observation {
    /// The observation that one of some probes holds; they are looked at until one does.
    static func any(_ probes: [Probe], _ look: (Probe) async -> [Observation]) async -> Observation {
        var others: [Observation] = []
        for probe in probes {
            let seen = await look(probe)
            let unmet = seen.filter { $0.verdict != .holds }
            if unmet.isEmpty {
                return Observation(Probe.any(probes), nil, expected: "one holds", found: "\(probe) holds", true)
            }
            others += unmet
        }
        // What can't come to be any more closes the question only where that is so of each of them.
        let verdict: Verdict = others.allSatisfy { $0.verdict == .never } ? .never : others.weakest
        let found = others.map { "\($0.subject): \($0.remark)" }.joined(separator: "; ")
        return Observation(Probe.any(probes), nil, expected: "one holds", found: found, verdict: verdict)
    }
}

extension [Observation] {
    /// The verdict on several that do not hold: data that is damaged is told, and what is not known is no proof.
    fileprivate var weakest: Observation.Verdict {
        if contains(where: { $0.verdict == .damaged }) { return .damaged }
        return contains { $0.verdict == .unknown } ? .unknown : .fails
    }
}

/// A guest's words, for one line.
enum GuestText {
    static func line(_ bytes: some Sequence<UInt8>) -> String {
        "'\(Printable.line(Printable.text(bytes.prefix(200))))'"
    }

    static func line(_ text: String) -> String { line(text.utf8) }
}
