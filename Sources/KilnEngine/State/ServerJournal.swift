import Foundation
import KilnModel

/// The journal of one member: everything that ever happened to it.
struct ServerJournal: Sendable {
    private let file: JournalFile<JournalRecord>

    init(path: String) { file = JournalFile(path: path) }

    /// Where it is.
    var path: String { file.path }

    /// All whole records; none where there is no journal yet.
    func records() throws -> [JournalRecord] { try file.records() }

    /// The history that the journal tells.
    func history() throws -> ServerHistory { ServerHistory(try records()) }

    /// Appends an event durably.
    func append(_ event: JournalEvent) throws {
        try file.append(JournalRecord(time: Date(), pid: getpid(), event: event))
    }
}
