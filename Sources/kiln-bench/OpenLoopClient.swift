import Foundation
import KilnSystem
import Synchronization

/// A user of a service on 127.0.0.1 who begins requests by the clock, whatever became of those before, and never asks
/// twice.
///
/// Who waits for an answer before asking again asks least while nobody answers, and so hides what is to be seen. So
/// every request has a time at which it is due, and a deadline of its own.
final class OpenLoopClient: Sendable {
    /// What became of a request.
    enum Outcome: String, Sendable, Codable, CodingKeyRepresentable {
        /// A whole answer of status 200 came.
        case answered
        /// Nobody listened, or a whole answer of another status came.
        case refused
        /// The connection ended before the answer was whole.
        case broken
        /// No answer came in time.
        case late
    }

    /// A request that has ended.
    struct Request: Sendable {
        /// Which it is, from 0 up.
        let number: Int
        let due: ContinuousClock.Instant
        /// When it was begun; nothing where this process could have no socket for it.
        let begin: ContinuousClock.Instant?
        let end: ContinuousClock.Instant
        let outcome: Outcome
        /// What was answered.
        let body: [UInt8]

        /// Whether it was begun by the clock.
        var isTimely: Bool { begin.map { $0 - due <= OpenLoopClient.tolerance } ?? false }
        var isAnswered: Bool { outcome == .answered }
        /// What became of it and what was said, in a line.
        var line: String {
            let said = String(decoding: body.prefix(200), as: UTF8.self).replacing("\n", with: " ")
            return "request \(number): \(outcome.rawValue) after \(Int(time * 1_000)) ms \(said)"
        }
        /// From its begin to its end, in seconds.
        var time: Double { (end - (begin ?? due)) / .seconds(1) }
    }

    /// The time from one request to the next, where nothing else is said.
    static let interval = Duration.milliseconds(20)
    /// By how much a request may be begun late.
    static let tolerance = Duration.milliseconds(20)
    /// How long an answer may take, where nothing else is said.
    static let patience = Duration.seconds(30)
    /// How long it looks on before an operation, and after it.
    static let control = Duration.seconds(5)

    private let port: UInt16
    private let interval: Duration
    private let patience: Duration
    private let request: @Sendable (Int) -> [UInt8]
    private let first = ContinuousClock.now
    private let requests = Mutex<[Request]>([])
    private let isStopped = Atomic(false)
    private let firstAnswer = AsyncStream<Never>.makeStream()
    private let end = AsyncStream<Never>.makeStream()

    /// A client that begins to ask at once, on a thread of its own, until it is stopped.
    ///
    /// - Parameters:
    ///   - interval: the time from one request to the next.
    ///   - patience: how long an answer may take.
    ///   - request: the bytes of each request, by its number.
    init(
        port: UInt16,
        every interval: Duration = interval,
        patience: Duration = patience,
        request: @escaping @Sendable (Int) -> [UInt8] = { _ in Exchange.generation }
    ) {
        (self.port, self.interval, self.patience, self.request) = (port, interval, patience, request)
        OpenLoopClient.allowSockets()
        Thread.detachNewThread { self.ask() }
    }

    /// Begins no more requests.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Waits until one was answered.
    func awaitAnswer(within patience: Duration) async throws {
        try await withDeadline(patience, operation: "ask on port \(port) until somebody answers") {
            for await _ in self.firstAnswer.stream {}
        }
    }

    /// Begins no more requests, and waits until all have ended.
    ///
    /// - Returns: them by their numbers.
    func ended() async throws -> [Request] {
        stop()
        for await _ in end.stream {}
        try Task.checkCancellation()
        return requests.withLock { $0.sorted { $0.number < $1.number } }
    }

    private func due(_ number: Int) -> ContinuousClock.Instant { first + interval * number }

    private func ask() {
        // Machines that boot take all that a small host has, and a client that is late for it tells nothing. Nice is not enough: with
        // three machines one wakeup of forty came more than 20 ms late at -10. Only root may.
        var priority = sched_param(sched_priority: 1)
        _ = pthread_setschedparam(pthread_self(), SCHED_RR, &priority)
        var (open, number): ([Exchange], Int) = ([], 0)
        while true {
            let isAsking = !isStopped.load(ordering: .relaxed)
            if isAsking { beginDue(&open, &number) }
            guard isAsking || !open.isEmpty else { break }
            let pause = isAsking ? due(number) - .now : interval
            let waited = Exchange.waited(for: open, atMost: pause)
            open = []
            for exchange in waited {
                // A thousand that are answered at once make no other late.
                if isAsking { beginDue(&open, &number) }
                if let exchange = advanced(exchange) { open.append(exchange) }
            }
        }
        firstAnswer.continuation.finish()
        end.continuation.finish()
    }

    // After a pause of this thread all are begun that were due in it.
    private func beginDue(_ open: inout [Exchange], _ number: inout Int) {
        while due(number) <= .now {
            if let exchange = begun(number) { open.append(exchange) }
            number += 1
        }
    }

    private func begun(_ number: Int) -> Exchange? {
        do throws(Exchange.NotBegun) {
            return try Exchange(port: port, request: request(number), number: number)
        } catch {
            note(number, begin: error.isRefused ? .now : nil, error.isRefused ? .refused : .broken)
            return nil
        }
    }

    // The exchange as it goes on; nothing where it has ended.
    private func advanced(_ exchange: Exchange) -> Exchange? {
        var exchange = exchange
        let (number, start) = (exchange.number, exchange.start)
        switch exchange.advance() {
        case .goesOn where ContinuousClock.now - start < patience: return exchange
        case .goesOn: note(number, begin: start, .late)
        case .refused(let body): note(number, begin: start, .refused, body)
        case .broken: note(number, begin: start, .broken)
        case .answered(let body): note(number, begin: start, .answered, body)
        }
        close(exchange.descriptor)
        return nil
    }

    private func note(_ number: Int, begin: ContinuousClock.Instant?, _ outcome: Outcome, _ body: [UInt8] = []) {
        let request = Request(
            number: number,
            due: due(number),
            begin: begin,
            end: .now,
            outcome: outcome,
            body: body
        )
        requests.withLock { $0.append(request) }
        if outcome == .answered { firstAnswer.continuation.finish() }
    }

    // Requests that wait for as long as they may have 1,500 sockets at once, and many hosts allow 1,024 where nobody
    // asks for more.
    private static func allowSockets() {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 4_096))
        // Where it is refused, requests without a socket make the run one that is not valid.
        _ = setrlimit(resource, &limit)
    }
}

/// An operation, and what a client saw of it.
struct Watched: Sendable {
    /// How long the operation took.
    let wall: Duration
    let seen: OpenLoopFigures
    /// All requests, also those before and after.
    let requests: [OpenLoopClient.Request]
}

extension OpenLoopClient {
    /// Lets a client look on while something is done, and for a while before and after.
    static func watching(
        port: UInt16,
        every interval: Duration = interval,
        patience: Duration = patience,
        request: @escaping @Sendable (Int) -> [UInt8] = { _ in Exchange.generation },
        _ operation: () async throws -> Void
    ) async throws -> Watched {
        let client = OpenLoopClient(port: port, every: interval, patience: patience, request: request)
        defer { client.stop() }
        try await client.awaitAnswer(within: Benchmark.patience)
        // The windows themselves, in which nothing is done.
        try await Task.sleep(for: control)
        let begin = ContinuousClock.now
        try await operation()
        let end = ContinuousClock.now
        try await Task.sleep(for: control)
        let requests = try await client.ended()
        return Watched(wall: end - begin, seen: OpenLoopFigures(requests, during: begin..<end), requests: requests)
    }
}
