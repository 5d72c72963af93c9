import KilnModel

/// Puts the tree of steps together from their beginnings and ends.
struct StepTrace {
    private var begun: [StepID: RecordedEvent] = [:]
    private var ended: [StepID: RecordedEvent] = [:]

    /// A step began; again, where it is tried again.
    mutating func begin(_ event: RecordedEvent) {
        guard let id = event.id else { return }
        begun[id] = event
        ended[id] = nil
    }

    /// A step ended, or was passed over.
    mutating func end(_ event: RecordedEvent) {
        if let id = event.id { ended[id] = event }
    }

    /// The innermost step that has not ended; of several at once the first.
    var current: String? {
        let open = begun.filter { ended[$0.key] == nil }
        let innermost = open.min { left, right in
            left.key.depth == right.key.depth
                ? left.key.numbers.lexicographicallyPrecedes(right.key.numbers) : left.key.depth > right.key.depth
        }
        return innermost.flatMap { id, event in event.name.map { "\(id) \($0)" } }
    }

    /// The steps of the scenario, with those that they hold.
    func results(at now: Duration, isGoingOn: Bool) -> [StepResult] {
        let ids = Set(begun.keys).union(ended.keys)
        let below = Dictionary(grouping: ids.filter { $0.depth > 0 }, by: \.parent)
        return children(of: .root, below, now, isGoingOn)
    }

    private func children(of id: StepID, _ below: [StepID: [StepID]], _ now: Duration, _ isGoingOn: Bool)
        -> [StepResult]
    {
        (below[id] ?? []).sorted { $0.numbers.lexicographicallyPrecedes($1.numbers) }.compactMap { id in
            let (begin, end) = (begun[id], ended[id])
            guard let event = end ?? begin, let kind = event.kind, let name = event.name,
                let place = event.place ?? begin?.place
            else { return nil }
            return StepResult(
                id: id,
                kind: kind,
                place: place,
                name: name,
                outcome: end?.outcome ?? .error,
                begin: .milliseconds(end?.beginMS ?? event.ms ?? 0),
                end: end?.endMS.map { .milliseconds($0) } ?? now,
                detail: end == nil ? isGoingOn ? "goes on" : "had not ended when the run was killed" : end?.detail,
                children: children(of: id, below, now, isGoingOn)
            )
        }
    }
}
