import KilnModel

/// The fields that say how often a server is asked, and how many answers count.
package enum CheckFields: String, FileField {
    case every, timeout, successes, failures, hint

    package static let required: [CheckFields] = []
    package static let instead = [
        "eventually":
            "it is for the tests of images; 'ready' waits anyway, and 'failures' says how often 'verify' may fail"
    ]

    package var schema: JSONValue {
        switch self {
        case .every: Schema.duration("The pause between two attempts, such as 1s.")
        case .timeout: Schema.duration("How long one attempt may take; 20s without it.")
        case .successes: Schema.whole(1...100, "How many attempts in a row must hold; 1 without it.")
        case .failures:
            Schema.whole(1...100, "After how many failed attempts in a row what held counts as lost; 3 without it.")
        case .hint: Schema.text("What to do where it does not hold; shown while it is waited for.")
        }
    }
}

/// The fields of every test of an image.
package enum TestFields: String, FileField {
    case timeout, hint, eventually

    package static let required: [TestFields] = []
    package static let instead = Dictionary(
        uniqueKeysWithValues: ["every", "successes", "failures"].map {
            ($0, "it is for a server that is watched; a test has 'eventually: { within: 10s, every: 1s }'")
        }
    )

    package var schema: JSONValue {
        switch self {
        case .timeout: Schema.duration("How long one attempt may take; 20s without it.")
        case .hint: Schema.text("What to do where it does not hold; shown with what was found.")
        case .eventually:
            Schema.object(EventuallyFields.self, "For how long it may fail first; without it the first answer counts.")
        }
    }
}

/// The fields of `eventually`.
enum EventuallyFields: String, FileField {
    case within, every

    static let required: [EventuallyFields] = [.within]

    var schema: JSONValue {
        switch self {
        case .within: Schema.duration("How long it may fail, such as 10s.")
        case .every: Schema.duration("The pause between two attempts; 1s without it.")
        }
    }
}

/// The fields of a kind of probe, and others that go with it.
package enum JoinedFields<Probe: FileField, Check: FileField>: FileField {
    case probe(Probe)
    case check(Check)

    package init?(rawValue: String) {
        if let field = Probe(rawValue: rawValue) {
            self = .probe(field)
        } else if let field = Check(rawValue: rawValue) {
            self = .check(field)
        } else {
            return nil
        }
    }

    package var rawValue: String {
        switch self {
        case .probe(let field): field.rawValue
        case .check(let field): field.rawValue
        }
    }

    package static var allCases: [JoinedFields] {
        Probe.allCases.map { .probe($0) } + Check.allCases.map { .check($0) }
    }

    package static var required: [JoinedFields] { Probe.required.map { .probe($0) } }

    package static var instead: [String: String] { Check.instead.merging(Probe.instead) { $1 } }

    package var schema: JSONValue {
        switch self {
        case .probe(let field): field.schema
        case .check(let field): field.schema
        }
    }
}
