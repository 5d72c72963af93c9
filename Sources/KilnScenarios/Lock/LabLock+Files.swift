import KilnModel

extension LabSpec {
    /// The images that its servers name otherwise than by digest.
    public var movableImages: Set<ImageReference> { Set(servers.values.map(\.image).filter(\.isMovable)) }

    /// The same lab, its images by the digests that they were locked to.
    ///
    /// - Throws: `KilnError` with code `lab.lock-stale`.
    public func pinned(by lock: LabLock) throws -> LabSpec {
        with(
            try servers.mapValues { server in
                var server = server
                server.image = try lock.pinned(server.image)
                return server
            }
        )
    }
}

extension Scenario {
    /// The images that its lab and its steps name otherwise than by digest.
    public var movableImages: Set<ImageReference> {
        guard lock == nil else { return [] }
        return lab.movableImages.union(namedImages.filter(\.isMovable))
    }

    /// The same scenario, its images by the digests that they were locked to.
    ///
    /// What it expects stays as it is written.
    ///
    /// - Throws: `KilnError` with code `lab.lock-stale`.
    public func pinned(by lock: LabLock) throws -> Scenario {
        for image in movableImages { _ = try lock.pinned(image) }
        return Scenario(
            name: name,
            about: about,
            tags: tags,
            variant: variant,
            lab: try lab.pinned(by: lock),
            externals: externals,
            steps: steps,
            finally: finally,
            warnings: warnings,
            lock: lock
        )
    }
}

extension ImageReference {
    var isMovable: Bool {
        if case .digest = selector { false } else { true }
    }
}
