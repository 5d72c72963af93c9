import KilnDocuments
import KilnEngine
import KilnModel

/// `use`: performs the steps that `steps-named` has under a name.
struct UseStep: StepAction {
    static let kind = StepKind(
        word: "use",
        about: "Performs the steps that 'steps-named' has under that name.",
        fields: { Schema.name($0) },
        decode: { UseStep($0, $1) }
    )

    let name: Name
    let children: [PlacedStep]

    init?(_ value: Value, _ reader: StepReader) {
        guard let name = value.reference("list in 'steps-named'", among: reader.knownLists),
            let children = reader.named(name, at: value)
        else { return nil }
        self.name = name
        self.children = children
    }

    var summary: String { "use \(name)" }

    func foresee(_ forecast: inout LabForecast) { forecast.follow(children) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        try await context.take(children, below: id)
        return StepYield()
    }
}
