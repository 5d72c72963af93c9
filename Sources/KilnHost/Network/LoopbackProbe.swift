import Foundation
import KilnEngine
import KilnModel
import KilnSystem

/// Probes published ports on 127.0.0.1.
///
/// Only an answer counts: QEMU's user-mode network accepts connections for a guest that never ran.
public struct LoopbackProbe: NetworkProbe {
    /// How much of an answer is read, in bytes.
    static let answerLimit = 64 << 10

    private typealias Answer = Result<[UInt8], LoopbackConnection.Failure>

    /// How long an attempt takes that only looks whether the guest is there by now.
    static let glance = Duration.seconds(2)

    /// A probe of this host's ports.
    public init() {}

    /// Sends an HTTP/1.0 GET; a complete answer with the status, and the text in its body, makes it hold.
    public func http(
        port: UInt16,
        path: String,
        status: Int,
        contains: String?,
        within limit: Duration
    ) async -> ProbeFinding {
        guard path.hasPrefix("/"), path.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            return .failed("the path \(Name.quoted(path)) can't be requested: expected '/' and printable ASCII")
        }
        // HTTP/1.0, so that the answer is never chunked and ends with the connection.
        let request = "GET \(path) HTTP/1.0\r\nHost: 127.0.0.1:\(port)\r\nUser-Agent: kiln\r\nAccept: */*\r\n\r\n"
        let answer = await exchange(port, send: request, within: limit) { HTTPAnswer($0)?.isComplete ?? false }
        switch answer {
        case .failure(let failure): return .notYet(failure.reason)
        case .success(let bytes): return LoopbackProbe.judge(bytes, status: status, contains: contains)
        }
    }

    /// Connects, sends, and reads until the text appears.
    public func tcp(port: UInt16, send: String?, expect: String, within limit: Duration) async -> ProbeFinding {
        let wanted = Array(expect.utf8)
        let answer = await exchange(port, send: send ?? "", within: limit) { $0.firstRange(of: wanted) != nil }
        switch answer {
        case .failure(let failure): return .notYet(failure.reason)
        case .success(let bytes):
            if bytes.firstRange(of: wanted) != nil { return .holds }
            return .notYet("the answer is \(LoopbackProbe.excerpt(bytes)), expected \(Name.quoted(expect)) in it")
        }
    }

    // One attempt has all the time, for a service that is slow to answer. Short ones run beside it, one after the other:
    // what connects while the guest still boots is kept waiting by QEMU's network for long after the guest is there.
    private func exchange(
        _ port: UInt16,
        send text: String,
        within limit: Duration,
        until isComplete: @escaping @Sendable ([UInt8]) -> Bool
    ) async -> Answer {
        await withTaskGroup(of: Answer.self) { group in
            group.addTask { await attempt(port, text, limit, isComplete) }
            if limit > LoopbackProbe.glance {
                group.addTask { await glances(port, text, limit, isComplete) }
            }
            defer { group.cancelAll() }
            return await group.next() ?? .failure(.silence)
        }
    }

    private func glances(
        _ port: UInt16,
        _ text: String,
        _ limit: Duration,
        _ isComplete: @escaping @Sendable ([UInt8]) -> Bool
    ) async -> Answer {
        let end = ContinuousClock.now + limit
        while true {
            let answer = await attempt(port, text, LoopbackProbe.glance, isComplete)
            guard case .failure(let failure) = answer, failure.isSilence, !Task.isCancelled, .now < end else {
                return answer
            }
        }
    }

    // The connection ends by itself at its limit, and tells what it waited for; the patience, which is longer, is there to
    // let cancelling through. That leaves a thread behind, for the limit at most.
    private func attempt(
        _ port: UInt16,
        _ text: String,
        _ limit: Duration,
        _ isComplete: @escaping @Sendable ([UInt8]) -> Bool
    ) async -> Answer {
        let answer = try? await withPatience(limit + .seconds(1), operation: "a probe") {
            await BlockingWork.run { () -> Answer in
                Result { () throws(LoopbackConnection.Failure) -> [UInt8] in
                    let connection = try LoopbackConnection(port: port, within: limit)
                    try connection.send(Array(text.utf8))
                    return try connection.receive(limit: LoopbackProbe.answerLimit, until: isComplete)
                }
            }
        }
        return answer ?? .failure(.silence)
    }

    static func judge(_ bytes: [UInt8], status: Int, contains: String?) -> ProbeFinding {
        guard !bytes.isEmpty else { return .notYet("the connection was closed without an answer") }
        guard let answer = HTTPAnswer(bytes) else { return .notYet("not an HTTP answer: \(excerpt(bytes))") }
        guard answer.status == status else { return .notYet("HTTP status \(answer.status), expected \(status)") }
        guard !answer.isCutOff || bytes.count >= answerLimit else { return .notYet("the HTTP answer is cut off") }
        if let contains, answer.body.firstRange(of: Array(contains.utf8)) == nil {
            return .notYet("the body is \(excerpt(Array(answer.body))), expected \(Name.quoted(contains)) in it")
        }
        return .holds
    }

    private static func excerpt(_ bytes: [UInt8]) -> String {
        Name.quoted(String(decoding: bytes.prefix(240), as: UTF8.self))
    }
}
