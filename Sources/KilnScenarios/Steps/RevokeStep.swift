import KilnDocuments
import KilnFaults
import KilnModel

/// `revoke`: revokes an image, in a home of the run's own: the user's store is as it was, also where the run is killed.
struct RevokeStep: StepAction {
    static let kind = StepKind(
        word: "revoke",
        about: "Revokes an image, in a home of the run's own.",
        fields: { Schema.object(RevokeFields.self, $0) },
        decode: { value, _ in RevokeStep(value) }
    )

    let image: ImageReference
    let reason: String

    init?(_ value: Value) {
        guard let fields = Fields<RevokeFields>(value, "a map with 'image' and 'reason'") else { return nil }
        let reason = fields[.reason]?.text()
        guard let image = fields[.image]?.image(), let reason else { return nil }
        self.image = image
        self.reason = reason
    }

    var summary: String { "revoke \(image)" }
    var images: [ImageReference] { [image] }
    var needsOwnHome: Bool { true }

    func foresee(_ forecast: inout LabForecast) {}

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        try await context.ground.revoke(image, why: reason)
        return StepYield()
    }
}

/// The fields of a `revoke` step.
enum RevokeFields: String, FileField {
    case image, reason

    static let required: [RevokeFields] = [.image, .reason]

    var schema: JSONValue {
        switch self {
        case .image: Schema.image("The image; no new machine is made from it.")
        case .reason: Schema.text("Why, for whoever asks for it.")
        }
    }
}
