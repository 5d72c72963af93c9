import KilnModel

/// What was done for one server after the other, and for which ones it could not be done.
struct ServerRound<Value: Encodable & Sendable>: Sendable {
    var values: [Value] = []
    var failures: [ServerFailure] = []

    /// Does something for each server; only an interruption keeps the later ones from their turn.
    static func over(_ servers: [MemberID], _ body: (MemberID) async throws -> Value?) async -> Self {
        var round = Self()
        for id in servers {
            do {
                if let value = try await body(id) { round.values.append(value) }
            } catch {
                round.failures.append(ServerFailure(server: id, report: ErrorReport(error)))
                if error is CancellationError { break }
            }
        }
        return round
    }

    /// The failure that decides the exit code: what needs a person most, and the first of several that are alike.
    private var worst: ErrorReport? {
        let reports = failures.map(\.report)
        // Interrupted: the rest is not known.
        let order: [ExitCode] = [.interrupted, .halted, .blocked]
        return order.lazy.compactMap { exit in reports.first { $0.error.exit == exit } }.first ?? reports.first
    }

    /// Shows everything, the errors on standard error; returns the exit status.
    func conclude(_ session: Session, showing result: some Renderable) throws -> Int32 {
        try session.show(result)
        for failure in failures { session.errors.lines(failure.lines(session.terminal.style)) }
        return (worst?.error.exit ?? .done).rawValue
    }

    /// What programs read, with the values under a key of their own.
    func payload(_ key: String) -> Payload { Payload(key: key, values: values, failures: failures, worst: worst) }

    struct Payload: Encodable {
        fileprivate let key: String
        fileprivate let values: [Value]
        fileprivate let failures: [ServerFailure]
        fileprivate let worst: ErrorReport?

        // An error stands where that of every command stands.
        func encode(to encoder: any Encoder) throws {
            try worst?.encode(to: encoder)
            try [key: values].encode(to: encoder)
            try ["failed": failures].encode(to: encoder)
        }
    }
}

/// A server for which something could not be done.
struct ServerFailure: Encodable, Sendable {
    let server: MemberID
    let report: ErrorReport

    private enum CodingKeys: String, CodingKey { case server }

    func encode(to encoder: any Encoder) throws {
        try report.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(server, forKey: .server)
    }

    /// The lines for people, which say which server it is.
    func lines(_ style: Style) -> [String] {
        let lines = report.lines(style)
        return report.error.message.contains(server.description) ? lines : ["\(server) can't be recovered:"] + lines
    }
}
