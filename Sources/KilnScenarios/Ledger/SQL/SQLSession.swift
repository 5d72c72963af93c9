import Foundation
import KilnModel
import KilnSystem

/// A session with a database through `psql`: one statement after the other, none of them twice.
///
/// The first error ends it, and so does a statement of which nothing is heard in time: what became of that is unknown then.
actor SQLSession {
    /// How much may come back for one statement, in bytes, where nobody says otherwise.
    static let usualLimit = 64 << 10
    private static let lifetime = Duration.seconds(12 * 3600)

    private enum Interruption: Error { case programEnded, tooMuch(Int) }

    private let input: ConnectedSocket
    private var chunks: AsyncStream<[UInt8]>.Iterator
    private let program: Task<Command.Output, any Error>
    private var buffer: [UInt8] = []
    private var isOver = false

    /// Starts `psql`, which connects to a port of this host.
    ///
    /// - Parameter program: the program; tests have one of their own.
    /// - Throws: `KilnError` with codes `tool.missing` and `sql.failed`.
    static func open(_ login: SQLLogin, port: UInt16, program: String = "psql") async throws -> SQLSession {
        _ = try Command.path(of: program)
        let session = try SQLSession(login.command(program, port: port, lifetime: lifetime))
        // What was acknowledged has to be on the disk, whatever the database or the user's settings say.
        _ = try await session.lines(
            of: "SET synchronous_commit = on; SET client_min_messages = error;",
            within: .seconds(15)
        )
        return session
    }

    private init(_ command: Command) throws {
        let (input, inputOfProgram) = try ConnectedSocket.pair()
        let (output, outputOfProgram) = try ConnectedSocket.pair()
        self.input = input
        chunks = SocketStream.stream(output.release()).makeAsyncIterator()
        program = Task {
            // Then its ends are closed, and so the stream ends.
            defer { withExtendedLifetime((inputOfProgram, outputOfProgram)) {} }
            return try await command.result(reading: inputOfProgram.descriptor, writing: outputOfProgram.descriptor)
        }
    }

    /// Has a statement carried out; what it says, line by line.
    ///
    /// - Parameter limit: how much may come back, in bytes.
    /// - Throws: `KilnError` with code `sql.failed`; then the session is over, and whether the statement was carried out is
    ///   unknown.
    func lines(of statement: String, within time: Duration, limit: Int = usualLimit) async throws -> [String] {
        guard !isOver else { throw failure("the session is over") }
        // Nobody can know it before the statement has ended, so nothing that a table holds is taken for the end.
        let token = "kiln-\(UUID().uuidString)"
        let end = Array("\(token)\n".utf8)
        do {
            try input.send(Array("\(statement)\n\\echo \(token)\n".utf8))
            let said = try await withDeadline(time, operation: "carry out a statement") {
                try await self.receive(until: end, limit: limit)
            }
            return String(decoding: said, as: UTF8.self).split(separator: "\n").map(String.init)
        } catch {
            throw await ended(by: error)
        }
    }

    /// Ends the session.
    func close() async {
        isOver = true
        input.shutDown()
        program.cancel()
        _ = try? await program.value
    }

    private func receive(until end: [UInt8], limit: Int) async throws -> [UInt8] {
        var looked = 0
        while true {
            let start = max(0, looked - end.count)
            if let found = buffer[start...].firstRange(of: end) {
                defer { buffer.removeSubrange(..<found.upperBound) }
                return Array(buffer[..<found.lowerBound])
            }
            looked = buffer.count
            guard looked <= limit + end.count else { throw Interruption.tooMuch(limit) }
            var iterator = chunks
            let chunk = await iterator.next(isolation: #isolation)
            chunks = iterator
            try Task.checkCancellation()
            guard let chunk else { throw Interruption.programEnded }
            buffer += chunk
        }
    }

    private func ended(by error: any Error) async -> any Error {
        isOver = true
        input.shutDown()
        if case .programEnded? = error as? Interruption {} else { program.cancel() }
        let result = await program.result
        if Task.isCancelled { return CancellationError() }
        switch error {
        case Interruption.programEnded: return lastWords(result)
        case Interruption.tooMuch(let limit): return failure("it said more than \(limit) bytes")
        case let late as DeadlineExceeded: return failure("nothing was heard within \(late.limit)")
        default: return error
        }
    }

    // What psql says last is the reason.
    private func lastWords(_ result: Result<Command.Output, any Error>) -> any Error {
        switch result {
        case .failure(let error): error
        case .success(let output): failure(Printable.text(output.errors, limit: 300))
        }
    }

    private func failure(_ reason: String) -> KilnError {
        KilnError(
            .sqlFailed,
            "a session with a database ended: \(reason)",
            hint: "try the same user and database with 'psql' through the published port",
            exit: .unmet
        )
    }
}
