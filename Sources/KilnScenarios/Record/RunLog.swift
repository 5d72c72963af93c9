import Dispatch
import Foundation
import KilnModel
import KilnSystem
import Synchronization

/// Writes down what happens in a run as it happens, one JSON document a line, so that a run that is killed has its report too.
///
/// Lines are written by a thread of its own, so no step waits for the disk.
final class RunLog: Sendable {
    /// How much is written before only the run's end is.
    static let largest = 32 << 20
    /// How many runs are remembered.
    static let mostRuns = 500

    private struct State {
        var size = 0
        var isFull = false
        var failure: KilnError?
    }

    /// The first line.
    struct Header: Codable {
        /// The format.
        let record: Int
        /// The version of Kiln.
        let kiln: String
        /// When the run began, by the wall clock; shown to people only.
        let began: Date
    }

    private let path: String
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "kiln.run-log")
    private let state = Mutex(State())

    /// Makes the log of a run, and forgets the oldest of many.
    ///
    /// - Throws: `KilnError` where it can't be written.
    init(_ files: RunLogFiles, of lab: Name, version: String) throws {
        try DurableFile.makeDirectory(files.folder)
        files.forgetOldest(but: Self.mostRuns - 1)
        path = files.path(of: lab)
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw DurableFile.failure("open", path) }
        try DurableFile.synchronizeDirectory(of: path)
        write(RunLog.line(Header(record: 1, kiln: version, began: Date())), isDurable: true)
    }

    deinit { close(descriptor) }

    /// Takes an event, for the stream of the run.
    func take(_ event: RunEvent) {
        let (isLast, isDurable) =
            switch event.kind {
            case .runEnded: (true, true)
            case .runBegan, .stepEnded: (false, true)
            case .stepBegan, .progress, .found: (false, false)
            }
        let line = RunLog.line(event)
        queue.async { self.write(line, isDurable: isDurable, isLast: isLast) }
    }

    /// Waits until everything is written; what went wrong, if anything did.
    func settled() async -> KilnError? {
        await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
        return state.withLock { $0.failure }
    }

    private func write(_ line: Data, isDurable: Bool, isLast: Bool = false) {
        state.withLock { state in
            guard state.failure == nil, isLast || !state.isFull else { return }
            guard isLast || state.size + line.count <= Self.largest else {
                state.isFull = true
                return append(Data("{\"event\":\"record-full\"}\n".utf8), isDurable: true, &state)
            }
            append(line, isDurable: isDurable, &state)
        }
    }

    private func append(_ line: Data, isDurable: Bool, _ state: inout State) {
        do {
            if isDurable {
                try DurableFile.append(line, to: descriptor, path: path)
            } else {
                try DurableFile.appendLazily(line, to: descriptor, path: path)
            }
            state.size += line.count
        } catch { state.failure = (error as? KilnError) ?? DurableFile.failure("write", path) }
    }

    private static func line(_ value: some Encodable) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        // These types hold nothing that JSON can't.
        return ((try? encoder.encode(value)) ?? Data()) + Data("\n".utf8)
    }
}
