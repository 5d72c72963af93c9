import KilnDocuments
import KilnEngine
import KilnModel

/// `sleep`: lets time pass.
struct SleepStep: StepAction {
    static let kind = StepKind(
        word: "sleep",
        about: "Lets time pass; to wait for something, 'wait', 'expect' with 'eventually', or 'retry' is surer.",
        fields: { Schema.duration($0) },
        decode: { value, _ in value.duration().map { SleepStep(duration: $0) } }
    )

    let duration: Duration

    var summary: String { "sleep \(duration.words)" }

    func foresee(_ forecast: inout LabForecast) {}

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        try await Task.sleep(for: duration)
        return StepYield()
    }
}

extension Duration {
    /// The duration as reports have it.
    var words: String { ReportText.time(Int(self / .milliseconds(1))) }
}
