import KilnEngine
import KilnModel

/// What happens in a run, in order; every sink takes the same.
public struct RunEvent: Sendable {
    /// What happened.
    public enum Kind: Sendable {
        /// The run began; its conditions stand in every log that this version writes.
        case runBegan(
            title: String,
            scenario: Name,
            variant: [Name: String],
            lab: Name,
            conditions: RunConditions? = nil
        )
        /// A step began.
        case stepBegan(id: StepID, kind: String, name: String, place: StepPlace)
        /// A step ended, or was passed over; those that it holds have ended before.
        case stepEnded(StepResult)
        /// The engine tells of its work.
        case progress(Progress)
        /// Something was seen that only reports tell.
        case found(RunFinding)
        /// The run ended.
        case runEnded(ScenarioReport)
    }

    /// Which run of a command it is of, from 1.
    public let run: Int
    /// Its place in the order of all events of a run, from 1.
    public let number: Int
    /// When it happened, since the run began; monotonic.
    public let time: Duration
    /// What happened.
    public let kind: Kind
}

/// Takes the events of a run; called from any task, one event at a time and in order.
public typealias RunSink = @Sendable (RunEvent) -> Void
