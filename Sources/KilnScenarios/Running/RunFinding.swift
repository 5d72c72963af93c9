import KilnModel

/// What a run saw that no step's result tells: a report draws it.
public enum RunFinding: Sendable, Hashable {
    /// What users of a server saw while it was replaced.
    case availability(AvailabilityStrip)
    /// How many records of a ledger are acknowledged by now; told now and then, not at each.
    case acknowledged(ledger: Name, server: Name, total: Int)
    /// A root was compared with its image.
    case drift(DriftFinding)
    /// What a console said last before the run failed.
    case console(ConsoleExcerpt)
}
