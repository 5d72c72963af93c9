import KilnModel

/// How many times as long as their file says steps may take, for a host that is slow.
///
/// It stretches what something is waited for, and never what is found of it: what users may see of a replacement, how long a check
/// has to hold, and how long a fault lasts stay as they are written.
public struct TimeoutScale: Sendable, Hashable, CustomStringConvertible {
    /// By how much deadlines are multiplied.
    public let factor: Double
    /// Whether the host chose it, and no user.
    public let isAutomatic: Bool

    /// Deadlines as they are written.
    public static let asWritten = TimeoutScale(factor: 1, isAutomatic: false)
    /// The factors that a user can choose.
    public static let range = 0.1...100.0

    private init(factor: Double, isAutomatic: Bool) {
        self.factor = factor
        self.isAutomatic = isAutomatic
    }

    /// What a user chose.
    ///
    /// - Throws: `KilnError` for what is not in ``range``.
    public init(_ factor: Double) throws {
        guard TimeoutScale.range.contains(factor) else {
            throw KilnError(.usage, "a factor of 0.1 to 100 expected, \(factor) found", exit: .usage)
        }
        self.init(factor: factor, isAutomatic: false)
    }

    /// What a host needs: with KVM deadlines as they are written.
    public init(for platform: Platform) { self.init(factor: platform.patience, isAutomatic: true) }

    /// A deadline of this run.
    public func of(_ written: Duration) -> Duration { factor == 1 ? written : written * factor }

    /// The factor, such as `2.5`.
    public var description: String { TimeoutScale.words(factor) }

    /// A factor as reports have it.
    static func words(_ factor: Double) -> String {
        Int(exactly: factor).map(String.init) ?? "\(factor)"
    }
}

extension TimeoutScale {
    /// A test of a step: how long an attempt may take, and for how long it may fail.
    func ofTest(_ check: Check) -> Check {
        scaled(check, eventually: check.eventually.map { .init(within: of($0.within), every: $0.every) })
    }

    /// When something has to hold: for how long it may not hold yet.
    func of(_ time: ExpectedTime) -> ExpectedTime {
        guard case .eventually(let written) = time else { return time }
        return .eventually(.init(within: of(written.within), every: written.every))
    }

    /// A lab whose servers have more time, or less.
    func of(_ lab: LabSpec, on platform: Platform) -> LabSpec {
        guard factor != 1 else { return lab }
        return lab.with(lab.servers.mapValues { of($0, on: platform) })
    }

    private func of(_ server: ServerSpec, on platform: Platform) -> ServerSpec {
        var server = server
        if let written = server.readyTimeout {
            server.readyTimeout = of(written)
        } else if !isAutomatic {
            // What is usual on this host is the least that a machine needs.
            server.readyTimeout = max(platform.readyTimeout, of(Platform.usualReadyTimeout))
        }
        // How long a machine has to stay ready is no deadline, but part of one.
        server.healthyDeadline = server.healthyDeadline.map { of($0 - server.minHealthy) + server.minHealthy }
        server.stopTimeout = of(server.stopTimeout)
        for list in [\ServerSpec.drain, \.afterAttach] { server[keyPath: list] = server[keyPath: list].map(of) }
        for list in [\ServerSpec.ready, \.warmReady, \.verify] { server[keyPath: list] = server[keyPath: list].map(of) }
        return server
    }

    private func of(_ hook: Hook) -> Hook {
        var hook = hook
        hook.deadline = of(hook.deadline)
        return hook
    }

    // What a client waits for an answer is what is measured while a server is replaced.
    private func of(_ check: Check) -> Check {
        if case .http = check.probe { return check }
        return scaled(check, eventually: check.eventually)
    }

    private func scaled(_ check: Check, eventually: Check.Eventually?) -> Check {
        Check(
            check.probe,
            every: check.every,
            timeout: of(check.timeout),
            successes: check.successes,
            failures: check.failures,
            hint: check.hint,
            eventually: eventually,
            always: check.always
        )
    }
}
