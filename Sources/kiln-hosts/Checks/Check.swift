/// One thing that kiln has to do on a host.
struct Check: Sendable {
    let name: String
    let about: String
    /// Who does it.
    var accounts: Set<Account.Kind> = [.root]
    /// For whom it is in the part that `make test` runs.
    var quick: Set<Account.Kind> = []
    /// Whether it is about kiln's package, and not the program alone.
    var isOfPackage = false
    /// Does it; throws where something is not as it should be, and ``Skip`` where it can't be tried.
    let body: @Sendable (Account) throws -> Void

    /// All of them, in the order in which they are run.
    static let all: [Check] =
        [.install, .doctor, .demo, .bake] + scenarios + [.actions, .drift, .volumes, .lesson] + kills
        + [.upgrade, .session, .leftovers, .purge]
}

/// Why a check can't be tried.
struct Skip: Error {
    let reason: String
}
