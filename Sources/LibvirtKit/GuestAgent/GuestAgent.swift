import Foundation
import Logging

/// The QEMU guest agent of one domain.
///
/// The agent is a program inside the guest, so everything it says is hostile input: answers are bounded in size,
/// decoded into types, and a wrong one is a ``GuestAgentError``, never a crash. Commands follow one another on the
/// domain's lane; see ``LibvirtConnection/agentCommand(_:of:timeout:)``.
///
/// Every call throws ``LibvirtError`` where no agent answers, or ``GuestAgentError``, which holds its words where it refuses.
/// Which of the two it is, is not read from libvirt's error but found out by asking again. libvirt marks a domain used this way as tainted by
/// "custom-ga-command", which only says that.
public struct GuestAgent: Sendable {
    /// The domain's name.
    public let domain: String
    /// How long one agent command may take.
    ///
    /// Rounded up to whole seconds.
    public let timeout: Duration

    /// Sends a command and returns the answer; replaced in tests.
    typealias Channel = @Sendable (_ json: String, _ timeout: Duration) async throws -> String
    private let channel: Channel

    /// What a command is to libvirt.
    static let operation = "ask guest agent of domain"

    /// The most bytes of one answer that are looked at; libvirt's protocol carries 4 MiB at most.
    static let answerLimit = 10 << 20

    /// Addresses the agent of a domain, which need not run yet.
    public init(of domain: String, on connection: LibvirtConnection, timeout: Duration = .seconds(10)) {
        self.init(of: domain, timeout: timeout) { json, timeout in
            try await connection.agentCommand(json, of: domain, timeout: timeout)
        }
    }

    init(of domain: String, timeout: Duration = .seconds(10), channel: @escaping Channel) {
        self.domain = domain
        self.timeout = timeout
        self.channel = channel
    }

    /// Returns when the agent answers.
    public func ping() async throws {
        let _: Nothing = try await ask("guest-ping")
    }

    /// Sends one command and decodes its answer.
    func ask<Answer: Decodable & Sendable>(
        _ command: String,
        _ arguments: some Encodable & Sendable,
        timeout: Duration? = nil
    ) async throws -> Answer {
        let json = String(
            decoding: try JSONEncoder().encode(Request(execute: command, arguments: arguments)),
            as: UTF8.self
        )
        let start = ContinuousClock.now
        let answer: String
        do {
            answer = try await sent(json, command, timeout ?? self.timeout)
        } catch {
            log(command, json, start, outcome: (error as? LibvirtError).map { "code \($0.code.rawValue)" } ?? "refused")
            throw error
        }
        log(command, json, start, outcome: "\(answer.utf8.count) bytes")
        return try Self.answer(to: command, in: answer)
    }

    /// Of a command only its name is traced: its arguments may hold secrets, and so may answers and refusals.
    private func log(_ command: String, _ json: String, _ start: ContinuousClock.Instant, outcome: String) {
        Self.logger.debug(
            "\(command) '\(domain)'",
            metadata: [
                "bytes": "\(json.utf8.count)", "ms": "\(start.duration(to: .now).milliseconds)",
                "outcome": "\(outcome)",
            ]
        )
    }

    private static var logger: Logger { Logger(label: "agent") }

    /// How long somebody else, such as a snapshot, may keep the guest's file systems frozen.
    static let frozenPatience = Duration.seconds(10)

    /// What must not happen twice, or does something else the second time: a file is read and written on from where it was
    /// left.
    private static let onceOnly: Set<String> = [
        "guest-exec", "guest-file-write", "guest-file-read",
    ]

    /// Sends a command; again where the agent refuses because the guest is frozen, which undoes nothing since a command
    /// that is refused has no effect.
    private func sent(_ json: String, _ command: String, _ timeout: Duration) async throws -> String {
        let end = ContinuousClock.now + Self.frozenPatience
        var isAgain = false
        while true {
            let begin = ContinuousClock.now
            do {
                return try await channel(json, timeout)
            } catch let error as LibvirtError where command != "guest-ping" {
                // Who had no answer in time may yet have been heard; who is refused gets to know at once.
                guard ContinuousClock.now - begin < timeout, (try? await ping()) != nil else { throw error }
                let isFrozen = command.hasPrefix("guest-fsfreeze") ? nil : try? await freezeStatus() == .frozen
                // Thawed by now, it may still have been frozen when it refused.
                // But an agent that went and came again may have heard it. What must not happen twice is said again only where
                // the guest itself has answered, which libvirt gives as this. Here alone a code decides, because it can't be
                // read again whether a command was heard. A channel that ended may have the same code; then the ping has to
                // have met an agent that came again within moments, as no service manager starts one.
                let bears = error.code == .internalError || !Self.onceOnly.contains(command)
                guard isFrozen == true || (isFrozen == false && !isAgain && bears), ContinuousClock.now < end else {
                    throw GuestAgentError.refused(command: command, reason: error.message)
                }
                isAgain = isFrozen == false
                // No event tells of a thaw.
                if isFrozen == true { try await Task.sleep(for: .milliseconds(50)) }
            }
        }
    }

    func ask<Answer: Decodable & Sendable>(_ command: String, timeout: Duration? = nil) async throws -> Answer {
        try await ask(command, Nothing(), timeout: timeout)
    }

    /// Decodes an answer of the shape `{"return": …}`.
    static func answer<Answer: Decodable>(to command: String, in json: String) throws(GuestAgentError) -> Answer {
        guard json.utf8.count <= answerLimit else {
            throw GuestAgentError.answerTooLarge(command: command, limit: answerLimit)
        }
        do {
            return try JSONDecoder().decode(Reply<Answer>.self, from: Data(json.utf8)).value
        } catch {
            throw GuestAgentError.malformedAnswer(command: command, reason: "not of the expected shape")
        }
    }

    private struct Request<Arguments: Encodable>: Encodable {
        let execute: String
        let arguments: Arguments
    }

    private struct Reply<Value: Decodable>: Decodable {
        let value: Value
        enum CodingKeys: String, CodingKey { case value = "return" }
    }

    /// An empty JSON object: no arguments, or an answer that says nothing.
    struct Nothing: Codable, Sendable {}
}

/// What is wrong with a guest agent's answer.
public enum GuestAgentError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The answer is no JSON, has another shape or contradicts itself.
    case malformedAnswer(command: String, reason: String)
    /// The agent answers other commands, but not this one; the reason is in its words.
    case refused(command: String, reason: String)
    /// The answer, or the file, is larger than it may be, in bytes.
    case answerTooLarge(command: String, limit: Int)

    /// One sentence.
    public var description: String {
        switch self {
        case .malformedAnswer(let command, let reason): "guest agent's answer to \(command) is malformed: \(reason)"
        case .refused(let command, let reason): "guest agent refuses \(command): \(reason)"
        case .answerTooLarge(let command, let limit): "guest agent's answer to \(command) exceeds \(limit) bytes"
        }
    }
}
