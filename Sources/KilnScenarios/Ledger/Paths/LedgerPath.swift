/// A way by which records reach a server, and by which they are read back.
protocol LedgerPath: Sendable {
    /// Writes records, none of them twice, and tells those that are acknowledged; ends when the task is cancelled, or when the
    /// way is broken, to be called again.
    ///
    /// - Parameter trouble: takes what is in the way for now.
    func write(
        _ acknowledged: @escaping @Sendable ([Acknowledgement]) async throws -> Void,
        trouble: @escaping @Sendable (any Error) async -> Void
    ) async throws
    /// Ends what goes on writing without the task.
    func stop() async
    /// All that the server holds: lines of records, and whatever else it says.
    ///
    /// - Throws: `KilnError`, where not all of it can be read.
    func contents() async throws -> [UInt8]
}

/// What became of a record that was sent.
enum WriteOutcome: Sendable, Equatable {
    /// The server says that it has it.
    case acknowledged
    /// It may be there or not; why nobody knows.
    case unknown(String)
}

/// One connection over which records reach a service, one after the other.
protocol LedgerConnection: Sendable {
    /// Sends a record once; what is known when an answer came, or none within a time.
    func write(_ record: LedgerRecord) async -> WriteOutcome
    /// Ends the connection.
    func close() async
}
