import Foundation
import KilnModel
import KilnSystem
import Synchronization

/// Records that this process numbers and sends over connections to a service.
struct ServicePath: LedgerPath {
    /// The numbers of one run; its payload is never used again, so that records of two runs can't be taken for each other.
    final class Records: Sendable {
        private let last = Mutex<UInt64>(0)
        private let run = UUID().uuidString.lowercased()

        /// The next record.
        func next() -> LedgerRecord {
            let number = last.withLock { last in
                last += 1
                return last
            }
            return LedgerRecord(number: number, payload: run)
        }
    }

    /// Opens a connection.
    let open: @Sendable () async throws -> any LedgerConnection
    /// Reads what the service holds.
    let read: @Sendable () async throws -> [UInt8]
    let connections: Int
    let pace: RecordPace
    let records = Records()

    func write(
        _ acknowledged: @escaping @Sendable ([Acknowledgement]) async throws -> Void,
        trouble: @escaping @Sendable (any Error) async -> Void
    ) async throws {
        let lanes = ConnectionLanes(count: connections, open: open) { await $0.close() }
        await lanes.run(failed: trouble) { connection in
            try await pace.turn()
            let record = records.next()
            switch await connection.write(record) {
            case .acknowledged: try await acknowledged([record.acknowledgement])
            case .unknown(let reason): throw NoAnswer(reason)
            }
        }
    }

    // Nothing writes on once the task has ended.
    func stop() async {}

    func contents() async throws -> [UInt8] { try await read() }
}
