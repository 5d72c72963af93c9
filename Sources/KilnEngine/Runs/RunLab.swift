import Foundation
import KilnModel
import KilnSystem

/// A lab that belongs to one run of a scenario.
///
/// Its lock tells whether the run still lives. What one that was killed has left, `kiln gc` and the next run take away: its
/// machines for good, while its volumes are retained. A lab that is kept is left alone.
public final class RunLab: Sendable {
    /// The lab's name: the scenario's, cut, and the id of the run.
    public let name: Name
    private let engine: LabEngine
    private let lock: FileLock
    private let files: RunFiles

    /// A lab of a new name for a run; what runs that were killed have left is removed first.
    ///
    /// - Throws: `KilnError`.
    public static func make(for scenario: Name, engine: LabEngine) async throws -> RunLab {
        _ = try await engine.removeAbandonedRuns()
        try DurableFile.makeDirectory(engine.state.runs)
        let (files, lock) = try locked(scenario, engine.state)
        try files.write(RunRecord(scenario: scenario))
        return RunLab(engine: engine, lock: lock, files: files)
    }

    // A file that is just made and not locked yet looks abandoned to another run, which may take it away.
    private static func locked(_ scenario: Name, _ state: StateDirectory) throws -> (RunFiles, FileLock) {
        var attempts = 0
        while true {
            attempts += 1
            let files = RunFiles(lab: try newName(scenario), state: state)
            do {
                return (files, try FileLock(files.lock, subject: "the run \(files.lab)"))
            } catch let error as KilnError where error.code == .lockHeld && attempts < 5 {
                continue
            }
        }
    }

    private init(engine: LabEngine, lock: FileLock, files: RunFiles) {
        name = files.lab
        self.engine = engine
        self.lock = lock
        self.files = files
    }

    /// Leaves the lab as it is, to be looked at; nobody but its user removes it then.
    ///
    /// - Throws: `KilnError` with code `state.not-writable`.
    public func keep() throws {
        guard var record = try files.record() else { return }
        record.isKept = true
        try files.write(record)
    }

    /// Ends and removes its machines, and sets its volumes aside; also where the run was interrupted.
    ///
    /// - Parameter purging: whether what the volumes hold goes, too.
    /// - Throws: `KilnError` where something could not be removed: it stays then, and the next run tries again.
    public func remove(purging: Bool) async throws {
        let (engine, files) = (engine, files)
        // An unstructured task does not inherit the cancellation.
        try await Task {
            try await engine.discard(files, purging: purging)
        }.value
        withExtendedLifetime(lock) {}
    }

    private static func newName(_ scenario: Name) throws -> Name {
        let id = String(UInt32.random(in: .min ... .max), radix: 36)
        let room = Name.longest - id.count - 1
        let cut = String(scenario.text.prefix(room)).trimmingCharacters(in: CharacterSet(charactersIn: "-"))
        return try Name("\(cut)-\(id)")
    }
}

/// What is known of a run; kept as long as its lab may be there.
struct RunRecord: Sendable, Codable {
    private let format: RecordFormat
    /// The scenario.
    let scenario: Name
    /// Whether its lab is to be left alone once it has ended.
    var isKept = false

    init(scenario: Name) {
        format = RecordFormat()
        self.scenario = scenario
    }
}

/// Where the state of a run is kept.
struct RunFiles: Sendable {
    let lab: Name
    let state: StateDirectory

    private static let suffix = ".lock"

    /// The file that the run has locked.
    var lock: String { "\(state.runs)/\(lab)\(RunFiles.suffix)" }

    private var path: String { "\(state.runs)/\(lab).json" }

    /// Whether the lab is that of a run.
    var exist: Bool { FileManager.default.fileExists(atPath: lock) }

    /// What is known of the run; nothing where it was killed before that was written.
    func record() throws -> RunRecord? { try DurableFile.readJSON(RunRecord.self, from: path) }

    func write(_ record: RunRecord) throws { try DurableFile.writeJSON(record, to: path) }

    /// Forgets the run; its lock goes last, so that whoever dies in between has it removed once more.
    func remove() throws {
        try DurableFile.remove(path)
        try DurableFile.remove(lock)
    }

    /// Those of all runs.
    static func all(in state: StateDirectory) -> [RunFiles] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: state.runs)) ?? []
        return entries.sorted().filter { $0.hasSuffix(suffix) }
            .compactMap { try? Name(String($0.dropLast(suffix.count))) }
            .map { RunFiles(lab: $0, state: state) }
    }
}
