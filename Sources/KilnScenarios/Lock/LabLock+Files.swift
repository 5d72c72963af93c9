import KilnModel

extension LabSpec {
    /// The images that its servers name otherwise than by digest.
    public var movableImages: Set<ImageReference> { Set(servers.values.map(\.image).filter(\.isMovable)) }

    /// The same lab, its images by the digests that they were locked to.
    ///
    /// - Throws: `KilnError` with code `lab.lock-stale`.
    public func pinned(by lock: LabLock) throws -> LabSpec {
        let servers = try servers.mapValues { server in
            var server = server
            server.image = try lock.pinned(server.image)
            return server
        }
        return LabSpec(name: name, volumes: volumes, servers: servers, images: images, networks: networks)
    }
}

extension Scenario {
    /// The images that its lab and its steps name otherwise than by digest.
    public var movableImages: Set<ImageReference> {
        let replaced = steps.compactMap { step in
            if case .replace(let replacement) = step.action { replacement.image } else { nil }
        }
        return lab.movableImages.union(replaced.filter(\.isMovable))
    }

    /// The same scenario, its images by the digests that they were locked to.
    ///
    /// What it expects stays as it is written.
    ///
    /// - Throws: `KilnError` with code `lab.lock-stale`.
    public func pinned(by lock: LabLock) throws -> Scenario {
        Scenario(
            name: name,
            about: about,
            lab: try lab.pinned(by: lock),
            steps: try steps.map { try $0.pinned(by: lock) },
            warnings: warnings
        )
    }
}

extension Step {
    fileprivate func pinned(by lock: LabLock) throws -> Step {
        guard case .replace(let replacement) = action, let image = replacement.image else { return self }
        let pinned = Replacement(
            server: replacement.server,
            image: try lock.pinned(image),
            strategy: replacement.strategy,
            dataOnRevert: replacement.dataOnRevert,
            forceStop: replacement.forceStop,
            rehearsesFirst: replacement.rehearsesFirst,
            outcome: replacement.outcome
        )
        return Step(action: .replace(pinned), position: position)
    }
}

extension ImageReference {
    fileprivate var isMovable: Bool {
        if case .digest = selector { false } else { true }
    }
}
