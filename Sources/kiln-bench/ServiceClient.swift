import Foundation
import Synchronization

/// A user of a service on 127.0.0.1 that asks again every 10 ms, and notes every complete answer and who gave it.
///
/// Behind a user-mode forward an accepted connection proves nothing, so what counts is a whole answer of status 200 that
/// names its generation. A request into a machine that still boots hangs, so the next one does not wait for it.
final class ServiceClient: Sendable {
    /// A complete answer.
    struct Answer: Sendable {
        /// When its last byte had come.
        let time: ContinuousClock.Instant
        /// The instance-id of the machine that gave it.
        let generation: String
    }

    /// The time between two requests.
    static let interval = Duration.milliseconds(10)
    /// How long an answer may take.
    ///
    /// With ``mostOpen`` it bounds what a service that hangs costs: a request every 31 ms.
    static let patience = Duration.milliseconds(500)
    /// The most requests that are open at once.
    static let mostOpen = 16

    private let port: UInt16
    private let answers = Mutex<[Answer]>([])
    private let isStopped = Atomic(false)

    /// A client that begins to ask at once, on a thread of its own, until it is stopped.
    init(port: UInt16) {
        self.port = port
        Thread.detachNewThread { self.ask() }
    }

    /// Ends it, and returns the answers by their time.
    func stop() -> [Answer] {
        isStopped.store(true, ordering: .relaxed)
        return answers.withLock { $0 }
    }

    /// Waits until somebody whom `isWanted` accepts has answered.
    ///
    /// - Parameter check: is asked while it waits, and may throw why nobody will.
    /// - Returns: the generation that did.
    func firstAnswer(
        within patience: Duration,
        check: @Sendable () throws -> Void = {},
        where isWanted: @Sendable (String) -> Bool = { _ in true }
    ) async throws -> String {
        let deadline = ContinuousClock.now + patience
        while true {
            if let found = answers.withLock({ $0.last { isWanted($0.generation) } }) { return found.generation }
            guard ContinuousClock.now < deadline else {
                throw Failure("nobody who was waited for has answered on port \(port) within \(patience)")
            }
            try check()
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Lets it see the service answer for a while.
    func settle() async throws { try await Task.sleep(for: .milliseconds(500)) }

    private func ask() {
        var open: [Exchange] = []
        var next = ContinuousClock.now
        while !isStopped.load(ordering: .relaxed) {
            let now = ContinuousClock.now
            if now >= next {
                if open.count < ServiceClient.mostOpen,
                    let exchange = try? Exchange(port: port, request: Exchange.generation)
                {
                    open.append(exchange)
                }
                next = max(next + ServiceClient.interval, now)
            }
            open = Exchange.waited(for: open, atMost: next - now).compactMap(advanced)
        }
        for exchange in open { close(exchange.descriptor) }
    }

    // The exchange as it goes on; nothing where it has ended.
    private func advanced(_ exchange: Exchange) -> Exchange? {
        var exchange = exchange
        switch exchange.advance() {
        case .goesOn where ContinuousClock.now - exchange.start < ServiceClient.patience: return exchange
        case .goesOn, .refused, .broken: break
        case .answered(let body):
            guard let generation = ServiceClient.generation(in: body) else { break }
            answers.withLock { $0.append(Answer(time: .now, generation: generation)) }
        }
        close(exchange.descriptor)
        return nil
    }

    // Who gave an answer.
    private static func generation(in body: [UInt8]) -> String? {
        struct Description: Decodable {
            let instance: String

            enum CodingKeys: String, CodingKey { case instance = "instance-id" }
        }
        return try? JSONDecoder().decode(Description.self, from: Data(body)).instance
    }
}

/// What a client saw of a replacement.
struct Unavailability: Sendable, Codable {
    /// The longest time without an answer, in seconds.
    let longest: Double
    /// From the old machine's last answer to the new one's first, in seconds; 0 where they overlap.
    let between: Double

    /// From answers by their time.
    ///
    /// - Throws: `Failure` where not both machines answered.
    init(_ answers: [ServiceClient.Answer], old: String) throws {
        guard let last = answers.last(where: { $0.generation == old }),
            let first = answers.first(where: { $0.generation != old })
        else {
            throw Failure("the client saw \(Set(answers.map(\.generation))), expected the old machine and a new one")
        }
        longest = (zip(answers, answers.dropFirst()).map { $1.time - $0.time }.max() ?? .zero) / .seconds(1)
        between = max(first.time - last.time, .zero) / .seconds(1)
    }
}
