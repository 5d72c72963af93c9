import KilnModel

/// Waiting for the way into a guest.
extension ReadinessWaiter {
    /// Waits for the guest's agent, and no other way.
    ///
    /// - Throws: `ready.failed` where the set-up of the guest has ended and no agent connects; `ready.timeout`.
    func awaitAgent() async throws {
        try await unlessHopeless {
            try await parts.guests.awaitAgent(machine, within: readyTimeout)
        } ask: {
            try await parts.guests.awaitAgent(machine, within: .zero)
        } verdict: { _ in
            KilnError(
                .readyFailed,
                "\(machine) can't become ready: agent: its console says that cloud-init has ended, and no agent has connected",
                hint:
                    "install qemu-guest-agent in its image, or by user-data ('packages: [qemu-guest-agent]'); or take "
                    + "'agent' out of 'ready': where there is none, Kiln looks at the guest by SSH",
                cause: lastLines,
                exit: .aborted
            )
        }
    }

    /// Waits until commands get into the guest, by whichever way; once.
    ///
    /// - Throws: `ready.failed` where its set-up has ended and there is none; `guest.host-key-differs`; `ready.timeout`.
    func awaitWay() async throws {
        guard !hasWay.withLock({ $0 }) else { return }
        waiting.text = "a way into the guest"
        try await unlessHopeless {
            _ = try await parts.guests.awaitWay(into: machine, within: readyTimeout)
        } ask: {
            // A slow guest may not even greet at once.
            _ = try await parts.guests.awaitWay(into: machine, within: .seconds(20))
        } verdict: { error in
            KilnError(
                .readyFailed,
                "\(machine) can't become ready: its console says that cloud-init has ended, and there is no way in: "
                    + error.message,
                hint:
                    "its image needs qemu-guest-agent, or an SSH server that takes the keys that cloud-init brings; what is "
                    + "asked from outside, such as http, needs neither, but volumes do",
                cause: error.cause ?? lastLines,
                exit: .aborted
            )
        }
        hasWay.withLock { $0 = true }
    }

    // Beside the wait, since nothing tells it that what it waits for will never come.
    private func unlessHopeless(
        _ wait: @escaping @Sendable () async throws -> Void,
        ask: @escaping @Sendable () async throws -> Void,
        verdict: @escaping @Sendable (KilnError) -> KilnError
    ) async throws {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await wait() }
                group.addTask {
                    try await setUpEnded()
                    do {
                        try await ask()
                    } catch let error as KilnError where error.code == .guestNoAgent {
                        throw verdict(error)
                    } catch let error as KilnError where error.exit == .deadline {
                        // Who is slow to answer may answer yet.
                    }
                    // The wait knows better, and ends before this does.
                    try await Task.sleep(for: readyTimeout)
                    throw timeout(readyTimeout)
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch let error as KilnError where error.exit == .deadline {
            throw timeout(readyTimeout)
        }
    }

    // A line in the console log is no event. Who is started right before the end takes a moment to connect.
    private func setUpEnded() async throws {
        while !console.tellsOfCloudInitEnd { try await Task.sleep(for: .milliseconds(500)) }
        try await Task.sleep(for: parts.agentGrace)
    }
}

extension Probe {
    /// Whether it is asked inside of a guest, by whichever way.
    var isAskedInside: Bool {
        leaves.contains { leaf in
            switch leaf {
            case .cloudInit, .exec, .resource: true
            default: false
            }
        }
    }
}
