import KilnEngine
import KilnModel
import KilnSystem

/// Probes published ports on 127.0.0.1.
///
/// Only an answer counts: QEMU's user-mode network accepts connections for a guest that never ran.
public struct LoopbackProbe: NetworkProbe {
    /// How much of an answer to a text is read, in bytes.
    static let answerLimit = 64 << 10

    /// How long an attempt takes that only looks whether the guest is there by now.
    static let glance = Duration.seconds(2)

    /// A probe of this host's ports.
    public init() {}

    /// Makes the request over HTTP/1.1, and reads the answer to its end or to the limit of what is looked at.
    public func http(_ probe: HTTPProbe, on port: UInt16, within limit: Duration) async -> ProbeFinding {
        if let refusal = LoopbackProbe.refusal(of: probe) { return .failed(refusal) }
        let outcome = await patiently(limit) { limit in
            await HTTPClient.shared.answer(to: probe, on: port, within: limit)
        }
        switch outcome {
        case .success(let answer): return answer.finding(for: probe)
        case .failure(let failure): return .notYet(failure.reason)
        }
    }

    /// Makes the request over HTTP/1.1 in one attempt, and reads the answer to its end or to the limit of what is looked at.
    public func exchange(
        _ request: HTTPProbe,
        on port: UInt16,
        over connection: ConnectionUse,
        within limit: Duration
    ) async -> Result<HTTPAnswer, NoAnswer> {
        if let refusal = LoopbackProbe.refusal(of: request) { return .failure(NoAnswer(refusal)) }
        return await HTTPClient.shared.answer(to: request, on: port, over: connection, within: limit)
    }

    private static func refusal(of request: HTTPProbe) -> String? {
        request.isSendable
            ? nil
            : "\(Name.quoted(request.path)) can't be requested with these headers: one of them would be no line"
    }

    /// Connects, sends, and reads until the text appears.
    public func tcp(port: UInt16, send: String?, expect: String, within limit: Duration) async -> ProbeFinding {
        let wanted = Array(expect.utf8)
        let outcome = await patiently(limit) { limit in
            await LoopbackConnection.answer(
                to: Array((send ?? "").utf8),
                on: port,
                within: limit,
                atMost: LoopbackProbe.answerLimit
            ) { $0.firstRange(of: wanted) != nil }
        }
        switch outcome {
        case .failure(let failure): return .notYet(failure.reason)
        case .success(let bytes):
            if bytes.firstRange(of: wanted) != nil { return .holds }
            return .notYet("the answer is \(HTTPAnswer.excerpt(bytes)), expected \(Name.quoted(expect)) in it")
        }
    }

    // One attempt has all the time, for a service that is slow to answer. Short ones run beside it, one after the other:
    // what connects while the guest still boots is kept waiting by QEMU's network for long after the guest is there.
    private func patiently<Answer: Sendable>(
        _ limit: Duration,
        _ attempt: @escaping @Sendable (Duration) async -> Result<Answer, NoAnswer>
    ) async -> Result<Answer, NoAnswer> {
        await withTaskGroup(of: Result<Answer, NoAnswer>.self) { group in
            group.addTask { await attempt(limit) }
            if limit > LoopbackProbe.glance {
                group.addTask { await glances(until: .now + limit, attempt) }
            }
            defer { group.cancelAll() }
            return await group.next() ?? .failure(.silence)
        }
    }

    private func glances<Answer: Sendable>(
        until end: ContinuousClock.Instant,
        _ attempt: @escaping @Sendable (Duration) async -> Result<Answer, NoAnswer>
    ) async -> Result<Answer, NoAnswer> {
        while true {
            let answer = await attempt(LoopbackProbe.glance)
            guard case .failure(let failure) = answer, failure.isSilence, !Task.isCancelled, .now < end else {
                return answer
            }
        }
    }
}
