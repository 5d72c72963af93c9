import KilnEngine
import KilnModel

/// What makes the machines that steps are done in.
public struct BakeMachines: Sendable {
    let engine: LabEngine
    let parts: EngineParts

    /// An engine whose images are those of the baker's store, and what it works with.
    public init(engine: LabEngine, parts: EngineParts) {
        self.engine = engine
        self.parts = parts
    }
}
