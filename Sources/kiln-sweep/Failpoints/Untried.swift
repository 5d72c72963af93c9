/// What the sweep leaves out, and why: a sentence each.
enum Untried {
    static var all: [String] {
        Operation.all.flatMap { [steps($0), faults($0), waysBack($0)] }.compactMap { $0 } + moments + never
    }

    /// What no cell is about, as far as it isn't a moment and a fault of those that there are.
    private static let never = [
        "RESTORE-DATA, the steps of a halt: 'make test' has a few faults there",
        "\(RolloutCell.tier), other moments: within the replacement of a member they are those of "
            + "\(Operation.stopFirst.name), and the way back of a rollout is made of such replacements",
        "\(RolloutCell.tier) with canaries, pauses, a judge or \(Operation.warmFirst.name) members: 'make test' tries what "
            + "they decide, on the model and on fakes",
    ]

    /// The steps forward that are no different from those of another operation.
    private static func steps(_ operation: Operation) -> String? {
        let steps = operation.steps.filter { !operation.swept.contains($0) }
        guard !steps.isEmpty else { return nil }
        let but = operation.alsoSwept.map { fault, also in
            "; \(fault.rawValue) is tried at \(operation.steps.filter(also.contains).joined(separator: ", "))"
        }
        return "\(operation.name), \(2 * steps.count) moments of \(steps.joined(separator: ", ")): "
            + "no different from those of \(Operation.stopFirst.name)" + but.sorted().joined()
    }

    /// The faults that are tried at no moment of it.
    private static func faults(_ operation: Operation) -> String? {
        let faults = Fault.allCases.filter { !operation.faults.contains($0) && isPossible($0, in: operation) }
        guard !faults.isEmpty else { return nil }
        return "\(operation.name) with \(faults.map(\.rawValue).joined(separator: ", ")): "
            + (operation.reasonOfFaults ?? "no different from \(Operation.stopFirst.name) there")
    }

    private static func isPossible(_ fault: Fault, in operation: Operation) -> Bool {
        operation.points.contains { fault.impossibility(at: $0) == nil }
    }

    /// The ways back with the faults that are not tried there.
    private static func waysBack(_ operation: Operation) -> String? {
        let faults = Fault.allCases.filter { !Fault.onTheWayBack.contains($0) }.map(\.rawValue)
        guard !operation.pointsBack.isEmpty, !faults.isEmpty else { return nil }
        return "\(operation.name), \(operation.pointsBack.count) moments of the ways back, each with "
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
