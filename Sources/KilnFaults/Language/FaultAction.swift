import KilnModel

/// A fault of one kind, read and ready to be made.
package protocol FaultAction: Sendable {
    /// The fault in the words of the file, for reports.
    var summary: String { get }
    /// The servers that it is about.
    var servers: [Name] { get }
    /// Whether it is over as soon as it has struck, so that nothing can be taken back.
    var isMomentary: Bool { get }
    /// Whether the servers' machines have to run.
    var needsMachine: Bool { get }
    /// Whether a machine ends by it.
    var endsMachine: Bool { get }
    /// Whether it ends the kiln that does the step, which then has to be another one than that of the run.
    var killsKiln: Bool { get }
    /// Whether it breaks something of the host, which only a home of the run's own may lose.
    var needsOwnHome: Bool { get }
    /// The images that it names.
    var images: [ImageReference] { get }
    /// Makes it.
    ///
    /// - Throws: `KilnError` where it can't be made; nothing of it is left then.
    func strike(_ ground: FaultGround) async throws -> StruckFault
}

extension FaultAction {
    package var isMomentary: Bool { false }
    package var needsMachine: Bool { true }
    package var endsMachine: Bool { false }
    package var killsKiln: Bool { false }
    package var needsOwnHome: Bool { false }
    package var images: [ImageReference] { [] }
}

/// A fault that was made.
package struct StruckFault: Sendable {
    /// What shows by now that something was hit, such as `12 frames cut`; nothing where nothing does.
    ///
    /// It is asked before the fault is taken back. Throws `KilnError` where it can't be told.
    package let proof: @Sendable () async throws -> String?
    /// Takes it back; what it was made in may be gone by then, which is no error.
    package let undo: @Sendable () async throws -> Void

    package init(
        proof: @escaping @Sendable () async throws -> String?,
        undo: @escaping @Sendable () async throws -> Void = {}
    ) {
        self.proof = proof
        self.undo = undo
    }
}
