import KilnDocuments
import KilnFaults
import KilnModel

/// `promote`: points a channel to an image that has passed its tests, in a home of the run's own.
struct PromoteStep: StepAction {
    static let kind = StepKind(
        word: "promote",
        about: "Points a channel to an image that has passed its tests, in a home of the run's own.",
        fields: { Schema.object(PromoteFields.self, $0) },
        decode: { value, _ in PromoteStep(value) }
    )

    let image: ImageReference
    let channel: Name

    init?(_ value: Value) {
        guard let fields = Fields<PromoteFields>(value, "a map with 'image' and 'to'") else { return nil }
        let channel = fields[.to]?.newName()
        guard let image = fields[.image]?.image(), let channel else { return nil }
        self.image = image
        self.channel = channel
    }

    var summary: String { "promote \(image) to \(channel)" }
    var images: [ImageReference] { [image] }
    var needsOwnHome: Bool { true }

    func foresee(_ forecast: inout LabForecast) {}

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        try await context.ground.promote(image, to: channel)
        return StepYield()
    }
}

/// The fields of a `promote` step.
enum PromoteFields: String, FileField {
    case image, to

    static let required: [PromoteFields] = [.image, .to]

    var schema: JSONValue {
        switch self {
        case .image: Schema.image("The image.")
        case .to: Schema.name("The channel.")
        }
    }
}
