import Foundation
import KilnModel
import KilnStore
import KilnSystem

extension ServerWorkspace {
    /// What differs on the root of a machine from its image.
    ///
    /// A root that can't be compared gives a report that says so. The caller holds the server's lock, or knows that the
    /// machine is off and nobody starts it.
    ///
    /// - Throws: `drift.root-missing`, `drift.copy-torn`, `drift.no-file-system`, `drift.listing-damaged`, `image.…`,
    ///   `tool.…`.
    func measureDrift(_ machine: MachineID) async throws -> DriftReport {
        try await measureDrift(machine) { try await copyRoot(machine) }
    }

    /// The same, with a copy that is taken under the lock by `take`; the lock is not needed for the rest.
    func measureDrift(
        _ machine: MachineID,
        take: () async throws -> (RootCopy, DriftReport.Consistency)
    ) async throws -> DriftReport {
        let record = try record(machine)
        let image = try await image(of: record)
        if let reason = unobservable(record, image) {
            return DriftReport(machine: machine, image: record.image.digest, unobservable: reason)
        }
        let (copy, consistency) = try await take()
        defer { parts.roots.discard(copy) }
        async let root = parts.roots.listing(of: copy, over: record.files.disk, size: record.disk, below: [])
        let original = try listing(of: image)
        return DriftReport(
            machine: machine,
            image: record.image.digest,
            consistency: consistency,
            difference: RootDifference(
                from: original,
                to: try await root,
                allowing: try allowance(record, image.manifest)
            ),
            bytesChanged: copy.allocated
        )
    }

    func image(of record: GenerationRecord) async throws -> StoredImage {
        let reference = ImageReference(name: record.image.name, selector: .digest(record.image.digest))
        return try await parts.images.verifiedImage(reference, for: .existing)
    }

    /// What is on the root of an image, where that is known.
    func listing(of image: StoredImage) throws -> RootListing {
        guard let paths = image.paths else { return RootListing(entries: [:], packages: [:]) }
        return try RootListing(try Data(contentsOf: URL(fileURLWithPath: paths)), of: image.manifest.name.text)
    }

    /// Why the root of a machine can't be compared with its image, if it can't.
    func unobservable(_ record: GenerationRecord, _ image: StoredImage) -> String? {
        guard !record.hasVolatileRoot else {
            return "its root is volatile: what is written to it is in the guest's memory, and gone at its next boot"
        }
        return image.paths == nil ? unlisted(record) : nil
    }

    private func unlisted(_ record: GenerationRecord) -> String {
        "the image \(record.image.name):\(record.image.version) has no list of its paths; "
            + "bake it again with 'kiln image bake \(record.image.name)', or add it again if it was added"
    }

    func allowance(
        _ record: GenerationRecord,
        _ manifest: ImageManifest
    ) throws -> RootDifference.Allowance {
        RootDifference.Allowance(
            ephemeral: try
                (manifest.ephemeral + record.spec.ephemeral + mountPaths(record)
                + hostsPaths(record))
                .compactMap {
                    RootPath(written: $0)
                },
            mounts: record.spec.volumes.values.compactMap { RootPath(written: $0) },
            declared: DeclaredFiles(
                ports: try portBook().ports,
                externals: try ExternalAccess.all(of: id.lab, in: state),
                digest: parts.roots.digest
            )
            .files(record.spec.userData)
        )
    }

    // What Kiln itself had the guest write, where its volumes came after its boot.
    private func mountPaths(_ record: GenerationRecord) throws -> [String] {
        guard record.cloudInit == .full else { return [] }
        return try mounts(of: record.machine).flatMap { [$0.unitFile.path, $0.enabledPath] }
    }

    private func hostsPaths(_ record: GenerationRecord) throws -> [String] {
        let hasNames = try !record.spec.networks.isEmpty || !ExternalAccess.all(of: id.lab, in: state).isEmpty
        return hasNames ? GuestNetwork.hostsFiles : []
    }

    // MARK: - The copy

    /// Copies a root's own layer, while the guest holds back its writes if it can.
    func copyRoot(_ machine: MachineID) async throws -> (RootCopy, DriftReport.Consistency) {
        let overlay = state.rootOverlay(machine)
        guard FileManager.default.fileExists(atPath: overlay) else {
            throw KilnError(
                .driftRootMissing,
                "the root of \(machine) is not there: of past generations only as many are kept as 'keep-roots' says",
                hint: "see which generation serves with 'kiln ps'",
                exit: .usage
            )
        }
        guard try await parts.machines.state(of: machine).isAlive else {
            return (try await parts.roots.copy(overlay), .off)
        }
        return try await copyWhileFrozen(machine, overlay)
    }

    private func copyWhileFrozen(
        _ machine: MachineID,
        _ overlay: String
    ) async throws -> (RootCopy, DriftReport.Consistency) {
        let consistency = try await freeze(machine)
        let result: Result<RootCopy, any Error>
        do {
            // The guest's last flush is over, but the process that writes the layer has queues of its own.
            result = .success(try await repeated(whileTorn: 2) { try await parts.roots.copy(overlay) })
        } catch {
            result = .failure(error)
        }
        if consistency == .frozen { await thaw(machine) }
        return (try result.get(), consistency)
    }

    private func repeated(
        whileTorn attempts: Int,
        _ copy: () async throws -> RootCopy
    ) async throws -> RootCopy {
        for _ in 0..<attempts {
            do {
                return try await copy()
            } catch let error as KilnError where error.code == .driftCopyTorn {
                try Task.checkCancellation()
            }
        }
        return try await copy()
    }

    // MARK: - Frozen guests

    // Stands while a guest may be frozen, so that the next command finds it where this process dies.
    private func frozenMark(_ machine: MachineID) -> String { state.generation(machine) + "/frozen" }

    private func freeze(_ machine: MachineID) async throws -> DriftReport.Consistency {
        try noteFrozen(machine)
        do {
            try await parts.guests.freeze(machine, within: .seconds(20))
            return .frozen
        } catch let error as KilnError where error.exit != .unreachable {
            // It may have been frozen after the deadline.
            await thaw(machine)
            parts.progress(.note("\(machine) can't be asked to hold back its writes: \(error.message)"))
            return .writeback
        } catch {
            await thaw(machine)
            throw error
        }
    }

    // In a task of its own, which no cancellation reaches: a guest that stays frozen serves nobody.
    private func thaw(_ machine: MachineID) async {
        await Task {
            for attempt in 1...3 {
                do {
                    try await parts.guests.thaw(machine, within: .seconds(20))
                    return try DurableFile.remove(frozenMark(machine))
                } catch {
                    guard attempt == 3 else { continue }
                    parts.progress(
                        .note("\(machine) was not asked to write on: \(KilnError.wrapping(error).message)")
                    )
                }
            }
        }.value
    }

    /// Notes that a guest may be frozen, now or once it goes on, for ``thawLeftover(_:)``.
    func noteFrozen(_ machine: MachineID) throws { try DurableFile.write(Data(), to: frozenMark(machine)) }

    /// Lets a guest write on that a killed process left frozen, or one that could not be asked because it stood still.
    func thawLeftover(_ machine: MachineID) async throws {
        guard FileManager.default.fileExists(atPath: frozenMark(machine)) else { return }
        switch try await parts.machines.state(of: machine) {
        case .running: await thaw(machine)
        case .paused: return
        default: try DurableFile.remove(frozenMark(machine))
        }
    }
}
