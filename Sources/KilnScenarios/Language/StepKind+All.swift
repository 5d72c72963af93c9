extension StepKind {
    /// Every kind, in the order in which they are listed.
    static let all: [StepKind] = [
        UpStep.kind, WaitStep.kind, ExecStep.kind, CopyInStep.kind, CopyOutStep.kind, HTTPStep.kind,
        WriteLedgerStep.kind, BankStep.kind, VerifyLedgerStep.kind, ReplaceStep.kind, RollbackStep.kind,
        StopStep.kind, StartStep.kind, HealStep.kind, AutoscaleStep.kind, RebootStep.kind, SnapshotStep.kind,
        RestoreStep.kind, CloneStep.kind, CheckStep.kind, ExpectStep.kind, DeclareStep.kind, PromoteStep.kind,
        RevokeStep.kind, DownStep.kind, ParallelStep.kind, RepeatStep.kind, RetryStep.kind, WithinStep.kind,
        LoadStep.kind, UseStep.kind, FaultStep.kind, SleepStep.kind, NoteStep.kind,
    ]
}
