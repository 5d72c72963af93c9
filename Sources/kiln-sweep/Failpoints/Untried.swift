/// What the sweep leaves out, and why: a sentence each.
enum Untried {
    static var all: [String] { Strategy.all.flatMap { [steps($0), waysBack($0)] }.compactMap { $0 } + moments + never }

    /// What no cell is about, as far as it isn't a moment and a fault of those that there are.
    private static let never = [
        "a first launch, a live snapshot, RESTORE-DATA, the steps of a halt: 'make test' has a few faults there"
    ]

    /// The steps forward that are no different from those of another strategy.
    private static func steps(_ strategy: Strategy) -> String? {
        let steps = strategy.steps.filter { !strategy.swept.contains($0) }
        guard !steps.isEmpty else { return nil }
        let but = strategy.alsoSwept.map { fault, also in
            "; \(fault.rawValue) is tried at \(strategy.steps.filter(also.contains).joined(separator: ", "))"
        }
        return "\(strategy.name), \(2 * steps.count) moments of \(steps.joined(separator: ", ")): "
            + "no different from those of \(Strategy.stopFirst.name)" + but.sorted().joined()
    }

    /// The ways back with the faults that are not tried there.
    private static func waysBack(_ strategy: Strategy) -> String? {
        let faults = Fault.allCases.filter { !Fault.onTheWayBack.contains($0) }.map(\.rawValue)
        guard !strategy.pointsBack.isEmpty, !faults.isEmpty else { return nil }
        return "\(strategy.name), \(strategy.pointsBack.count) moments of the ways back, each with "
            + "\(faults.joined(separator: ", ")): a way back is a second fault already"
    }

    /// The faults that are not tried at every moment.
    private static var moments: [String] {
        Fault.allCases.compactMap { fault in
            fault.moments.map {
                "\(fault.rawValue) at other moments than \($0.sorted().joined(separator: ", ")): "
                    + "it pauses a machine as \(Fault.inputOutputError.rawValue) does"
            }
        }
    }
}
