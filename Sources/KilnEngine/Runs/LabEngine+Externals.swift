import KilnModel

extension LabEngine {
    /// Starts the external services of a run's lab, one after the other, and waits until they serve.
    ///
    /// - Returns: how each is reached.
    /// - Throws: `KilnError` with a code `external.…`; those that were started stay until ``endExternals(of:)``.
    public func startExternals(
        _ specs: [Name: ExternalSpec],
        of lab: Name
    ) async throws -> [Name: ExternalAccess] {
        var started: [Name: ExternalAccess] = [:]
        for (name, spec) in specs.sorted(by: { $0.key < $1.key }) {
            let id = ExternalID(lab: lab, name: name)
            let access = try await parts.externals.start(id, spec, besides: try PortBook.taken(in: state))
            parts.progress(.note("\(name): \(spec.title) serves on port \(access.port) of 127.0.0.1"))
            started[name] = access
        }
        return started
    }

    /// Ends the external services of a run's lab, also where the run was interrupted.
    ///
    /// - Throws: `KilnError`; what is left then the next run tries to end again.
    public func endExternals(of lab: Name) async throws {
        let externals = parts.externals
        // An unstructured task does not inherit the cancellation.
        try await Task { try await externals.end(of: lab) }.value
    }

    /// How an external service of a run's lab is reached.
    ///
    /// - Throws: `KilnError` with code `external.failed` where there is none.
    public func externalAccess(_ id: ExternalID) throws -> ExternalAccess {
        if let access = try ExternalAccess.all(of: id.lab, in: state)[id.name] { return access }
        throw KilnError(
            .externalFailed,
            "the external service \(id) expected, none found: it is there while its run lasts",
            hint: "see what ended it in the events of the run: 'kiln report \(id.lab)'",
            exit: .aborted
        )
    }

    /// The last of what an external service said to its log; nothing where it has none.
    public func externalLog(_ id: ExternalID) async -> [UInt8]? { await parts.externals.log(id) }

    /// The external services of a lab, as far as something of them is there.
    func externals(of lab: Name) -> [ExternalID] {
        ExternalAccess.names(of: lab, in: state).map { ExternalID(lab: lab, name: $0) }
    }
}
