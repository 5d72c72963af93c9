import KilnModel

/// The fields that say how often a server is asked, and how many answers count.
package enum CheckFields: String, FileField {
    case every, timeout, successes, failures, hint

    package static let required: [CheckFields] = []
    package static let instead = [
        "eventually":
            "it is for the tests of images; 'ready' waits anyway, and 'failures' says how often 'verify' may fail",
        "always": "it is for tests; 'successes' says how often it has to hold in a row, and 'min-healthy' for how long",
        "never": "it is for tests; write 'not'",
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
    case timeout, hint, eventually, always, never

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
        case .always: Schema.object(AlwaysFields.self, "For how long it has to hold; without it one answer is enough.")
        case .never: Schema.object(AlwaysFields.self, "For how long it must not hold, at any look.")
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

/// The fields of `always` and `never`.
enum AlwaysFields: String, FileField {
    case through = "for"
    case every

    static let required: [AlwaysFields] = [.through]

    var schema: JSONValue {
        switch self {
        case .through: Schema.duration("How long, such as 10s.")
        case .every: Schema.duration("The pause between two looks; 1s without it.")
        }
    }
}

/// The fields that a part of 'any' or 'all' has: none, for they belong to the whole.
package enum PartFields: String, FileField {
    case none

    package static let allCases: [PartFields] = []
    package static let required: [PartFields] = []
    package static let instead = Dictionary(
        (CheckFields.allCases.map(\.rawValue) + TestFields.allCases.map(\.rawValue)).map {
            ($0, "it belongs to the whole: 'any: { of: […], \($0): … }'")
        },
        uniquingKeysWith: { first, _ in first }
    )

    package var schema: JSONValue { [:] }
}

/// The fields of `any` and `all` with settings.
enum SeveralFields: String, FileField {
    case of

    static let required: [SeveralFields] = [.of]

    var schema: JSONValue { ProbeParts.schema("The probes.") }
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
