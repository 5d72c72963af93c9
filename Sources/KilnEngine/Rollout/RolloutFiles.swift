import Foundation
import KilnModel
import KilnSystem

/// A record of the journal of a server's rollouts.
struct RolloutRecord: Sendable, Codable {
    /// When, by the wall clock; shown to people, never used in a decision.
    let time: Date
    /// The process that wrote it.
    let pid: Int32
    /// What happened.
    let event: RolloutEvent
}

/// What is kept of a server's rollouts.
struct RolloutFiles: Sendable {
    let server: ServerID
    let state: StateDirectory

    private var path: String { state.rollout(server) }
    private var journal: JournalFile<RolloutRecord> { JournalFile(path: path) }

    /// All records, oldest first.
    func records() throws -> [RolloutRecord] { try journal.records() }

    /// What they tell.
    func history() throws -> RolloutHistory { RolloutHistory(try records().map(\.event)) }

    /// Appends an event durably.
    func append(_ event: RolloutEvent) throws {
        try journal.append(RolloutRecord(time: Date(), pid: getpid(), event: event))
    }

    /// Takes the lock that whoever drives a rollout has, and whoever takes the lab down; who only looks has it for a moment.
    ///
    /// - Throws: `lock.held`.
    func lock() async throws -> FileLock {
        try await FileLock.whenFree(path + ".lock", subject: "the rollout of \(server)", within: .milliseconds(500))
    }

    /// Keeps rollouts from being driven meanwhile, or throws `lock.held`; several can do that at once.
    func lockOut() throws -> FileLock {
        try FileLock(path + ".lock", subject: "the rollout of \(server)", kind: .shared)
    }

    /// Whether somebody drives a rollout.
    var isDriven: Bool { (try? lockOut()) == nil }

    /// What the members are to be made from: the lab may be declared otherwise while the rollout goes on.
    struct Target: Sendable, Codable {
        /// The declaration, before it is any member's own.
        let spec: ServerSpec
        /// How the replacements are done.
        let dataOnRevert: DataOnRevert
        let forceStop: Bool
    }

    /// The target of the latest rollout.
    func target() throws -> Target {
        if let target = try DurableFile.readJSON(Target.self, from: path + ".target.json") { return target }
        throw KilnError(.stateMissing, "there is no \(path).target.json", exit: .halted)
    }

    /// Keeps the target of a rollout that is about to begin; user-data may hold secrets.
    func keep(_ target: Target) throws { try DurableFile.writeJSON(target, to: path + ".target.json", mode: 0o600) }

    // MARK: - What others want of a rollout that somebody drives

    private var wishFile: String { path + ".wish.json" }

    /// What somebody else wants of it; nothing where nobody wants anything.
    func wish() throws -> RolloutCommand? {
        try DurableFile.readJSON(RolloutWish.self, from: wishFile)?.command
    }

    /// Asks whoever drives it.
    func leave(_ command: RolloutCommand) throws {
        try DurableFile.writeJSON(RolloutWish(command), to: wishFile)
    }

    /// Strikes the wish out.
    func forgetWish() throws { try DurableFile.remove(wishFile) }
}

/// A command as it is left for another process.
private struct RolloutWish: Codable {
    let word: String
    var isFull: Bool?

    init(_ command: RolloutCommand) {
        word = command.word
        if case .promote(let full) = command { isFull = full }
    }

    /// Nothing for what a later version may write.
    var command: RolloutCommand? {
        switch word {
        case "promote": .promote(isFull: isFull ?? false)
        case "pause": .pause
        case "abort": .abort
        case "retry": .retry
        case "undo": .undo
        default: nil
        }
    }
}
