import KilnDocuments
import KilnEngine
import KilnModel

/// `parallel`: performs steps at the same time.
struct ParallelStep: StepAction {
    static let kind = StepKind(
        word: "parallel",
        about: "Performs steps at the same time, and waits for all of them; it fails where one of them fails.",
        fields: { Schema.list(of: StepSchema.reference, atLeast: 2, $0) },
        decode: { ParallelStep($0, $1) }
    )

    /// The most steps at the same time.
    static let most = 32

    let children: [PlacedStep]

    init?(_ value: Value, _ reader: StepReader) {
        guard let elements = value.list(of: "at least two steps", atLeast: 2) else { return nil }
        if elements.count > ParallelStep.most {
            value.problem("expected at most \(ParallelStep.most) steps at the same time, found \(elements.count)")
        }
        guard let children = reader.steps(value) else { return nil }
        self.children = children
    }

    var summary: String { "parallel" }

    func foresee(_ forecast: inout LabForecast) { forecast.branch(children.map { [$0] }) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let failures = await withTaskGroup(of: (Int, (any Error)?).self) { group in
            for (index, child) in children.enumerated() {
                group.addTask {
                    do {
                        try await context.take(child, as: id.child(index + 1))
                        return (index, nil)
                    } catch { return (index, error) }
                }
            }
            return await group.reduce(into: [(Int, any Error)]()) { found, each in
                if let failure = each.1 { found.append((each.0, failure)) }
            }
        }
        // In the order of the file, so that the same failures give the same report.
        if let worst = RunFailure.worst(failures.sorted { $0.0 < $1.0 }.map(\.1)) { throw worst }
        return StepYield()
    }
}
