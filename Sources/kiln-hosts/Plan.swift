/// What is done on each host.
struct Plan: Sendable {
    let only: [String]
    let quick: Bool
    let boots: Int
    /// Whether it is the package that is tried.
    var isOfPackage = false

    /// The checks that an account is given, in order.
    func checks(as kind: Account.Kind) -> [Check] {
        Check.all.filter { check in
            check.accounts.contains(kind) && (!quick || check.quick.contains(kind))
                && (isOfPackage || !check.isOfPackage)
                && (isChosen(check) || check.name == Check.bake.name && kind == .root && needsImages
                    || check.name == Check.install.name)
        }
    }

    private func isChosen(_ check: Check) -> Bool { only.isEmpty || only.contains { check.name.contains($0) } }

    // Each visit begins with an empty home, and root bakes for all.
    private var needsImages: Bool {
        let others = [Check.install, .doctor, .demo, .bake, .leftovers, .purge].map(\.name)
        return boots > 0 || Check.all.contains { isChosen($0) && !others.contains($0.name) }
    }

    /// The plan for the program that carries it out.
    var arguments: [String] {
        var arguments = ["--boots", "\(boots)"]
        if quick { arguments.append("--quick") }
        if isOfPackage { arguments.append("--package") }
        for text in only { arguments += ["--only", text] }
        return arguments
    }

    /// The checks by account, a line each.
    var listing: String {
        Account.Kind.allCases.flatMap { kind in checks(as: kind).map { "\(kind.rawValue)  \($0.name)  \($0.about)\n" } }
            .joined()
    }
}
