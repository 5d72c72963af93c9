/// What is done on each host.
struct Plan: Sendable {
    let only: [String]
    let quick: Bool
    let boots: Int

    /// The checks that an account is given, in order.
    func checks(as kind: Account.Kind) -> [Check] {
        Check.all.filter { check in
            check.accounts.contains(kind) && (!quick || check.quick.contains(kind))
                && (isChosen(check) || check.name == Check.bake.name && kind == .root && needsImages)
        }
    }

    private func isChosen(_ check: Check) -> Bool { only.isEmpty || only.contains { check.name.contains($0) } }

    // Each visit begins with an empty home, and root bakes for all.
    private var needsImages: Bool {
        let others = [Check.doctor, .bake, .leftovers].map(\.name)
        return boots > 0 || Check.all.contains { isChosen($0) && !others.contains($0.name) }
    }

    /// The checks by account, a line each.
    var listing: String {
        Account.Kind.allCases.flatMap { kind in checks(as: kind).map { "\(kind.rawValue)  \($0.name)  \($0.about)\n" } }
            .joined()
    }
}
