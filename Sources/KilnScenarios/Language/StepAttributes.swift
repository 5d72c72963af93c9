import KilnModel

/// What a file says of how a step is done, whatever its kind.
struct StepAttributes: Sendable {
    /// What it is called in reports.
    var name: String?
    /// How long it may take, all attempts together.
    var timeout: Duration?
    /// How often it is tried.
    var retry: RetryPolicy?
    /// Whether it is done at all.
    var condition: StepCondition?
    /// The outputs that are saved, by the names that they get.
    var save: [Name: String] = [:]
    /// How it has to fail, where it has to.
    var failure: ExpectedFailure?
    /// What goes wrong at moments of it.
    var during: [DuringFault] = []
    /// What is done after it, however it ends.
    var finally: [PlacedStep] = []
    /// The saved values that its texts name, with where.
    var uses: [SavedUse] = []
}

/// How often something is tried until it is done.
struct RetryPolicy: Sendable, Hashable {
    /// How many attempts there are at most, from 1.
    let times: Int
    /// The pause between two.
    let every: Duration
}

/// When a step is done: a text compared with others.
struct StepCondition: Sendable, Hashable {
    /// What is compared.
    let value: SavedText
    /// What it has to be.
    let expected: SavedText
    /// Whether it has to differ instead.
    let isNegated: Bool

    /// Whether the step is done.
    func holds(_ known: KnownTexts) -> Bool {
        (value.resolved(known) == expected.resolved(known)) != isNegated
    }

    /// The same before anything is saved; nothing where that decides.
    var known: Bool? {
        let isFixed = [value, expected].allSatisfy { $0.names.isEmpty && !$0.namesExternals }
        return isFixed ? holds(KnownTexts()) : nil
    }

    /// The condition in words.
    var description: String { "\(Name.quoted(value.text)) is \(isNegated ? "not " : "")\(Name.quoted(expected.text))" }
}

/// How a step has to fail.
struct ExpectedFailure: Sendable, Hashable {
    /// What the reason has to contain; nothing where any reason will do.
    let contains: String?
}
