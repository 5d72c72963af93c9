import KilnModel

/// What the engine tells while it works.
public enum Progress: Sendable, Hashable {
    /// A line of a plan.
    case plan(MemberID, String)
    /// A step began.
    case began(MemberID, Generation, Step)
    /// A step is waiting for something; said again when that changes.
    case waiting(MemberID, Generation, String)
    /// A step is done.
    case finished(MemberID, Generation, Step, milliseconds: Int)
    /// A step failed, and the way back is taken.
    case turnedBack(MemberID, TurnBack)
    /// Something else worth a line.
    case note(String)
}

/// Takes progress; called from any task.
public typealias ProgressSink = @Sendable (Progress) -> Void
