import KilnModel

/// Brings records into a table, each in a transaction of its own.
struct SQLLedgerConnection: LedgerConnection {
    /// How long a statement may take.
    static let patience = Duration.seconds(30)
    /// The most that is read of a table, in bytes.
    static let contentsLimit = 256 << 20

    let session: SQLSession
    let table: String

    /// Opens a session, and makes the table where there is none.
    static func open(
        _ login: SQLLogin,
        port: UInt16,
        ledger: Name,
        program: String = "psql"
    ) async throws -> SQLLedgerConnection {
        let session = try await SQLSession.open(login, port: port, program: program)
        let table = "\"kiln_ledger_\(ledger)\""
        // Without a key: a record that comes twice is to be seen, not refused.
        let columns = "number bigint NOT NULL, payload text NOT NULL, checksum text NOT NULL"
        // Two sessions that both make it are in each other's way; a lock for all of them ends with the transaction.
        let statement =
            "BEGIN; SELECT pg_advisory_xact_lock(5063201); CREATE TABLE IF NOT EXISTS \(table) (\(columns)); COMMIT;"
        _ = try await session.lines(of: statement, within: patience)
        return SQLLedgerConnection(session: session, table: table)
    }

    func write(_ record: LedgerRecord) async -> WriteOutcome {
        let acknowledgement = record.acknowledgement
        // Both texts are digits, letters and dashes of our own. A row comes back only once the transaction has ended.
        let statement =
            "INSERT INTO \(table) VALUES (\(record.number), '\(record.payload)', '\(acknowledgement.digits)') "
            + "RETURNING number || ' ' || checksum;"
        do {
            let said = try await session.lines(of: statement, within: SQLLedgerConnection.patience)
            return said == [acknowledgement.text] ? .acknowledged : .unknown("another answer")
        } catch { return .unknown("\(error)") }
    }

    func close() async { await session.close() }

    /// All records of the table.
    ///
    /// - Throws: `KilnError` with code `sql.failed`.
    func contents() async throws -> [UInt8] {
        let statement = "SELECT 'R ' || number || ' ' || payload || ' ' || checksum FROM \(table) ORDER BY number;"
        let limit = SQLLedgerConnection.contentsLimit
        let lines = try await session.lines(of: statement, within: .seconds(300), limit: limit)
        return Array(lines.joined(separator: "\n").utf8)
    }
}
