import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import Synchronization

/// Does a replacement of a run in a process that can be killed.
package protocol ReplacementProcess: Sendable {
    /// Replaces a server.
    ///
    /// - Parameters:
    ///   - stops: moments, such as `handover.after`, at which it stands still until `standing` has returned.
    ///   - progress: takes what it tells.
    ///   - standing: gets its process id; it may end it.
    /// - Returns: how it ended.
    /// - Throws: `KilnError` where it can't be started.
    func replace(
        _ server: MemberID,
        _ options: ReplaceOptions,
        stops: [String],
        progress: @escaping ProgressSink,
        standing: @escaping @Sendable (Int32) async throws -> Void
    ) async throws -> ReplacementProcessEnd
}

/// How a process ended that replaced a server.
package enum ReplacementProcessEnd: Sendable {
    /// By itself: the journal tells the rest, and this what was in the way of beginning at all.
    case ended(refusal: KilnError?)
    /// Somebody killed it.
    case killed
}

/// A `kiln replace` of a run.
public struct OwnKiln: ReplacementProcess {
    private let program: String
    private let connect: String?

    /// - Parameters:
    ///   - program: the path of the `kiln` program.
    ///   - connect: the connection that the command line named.
    public init(program: String, connect: String?) {
        self.program = program
        self.connect = connect
    }

    package func replace(
        _ server: MemberID,
        _ options: ReplaceOptions,
        stops: [String],
        progress: @escaping ProgressSink,
        standing: @escaping @Sendable (Int32) async throws -> Void
    ) async throws -> ReplacementProcessEnd {
        let output = OwnKilnOutput(of: server, progress)
        let ended = try await command(server, options, stops).result(lines: output.take, atStops: standing)
        guard ended.status != 128 + SIGKILL else { return .killed }
        return .ended(refusal: ended.status == 0 ? nil : output.refusal(ended))
    }

    private func command(_ server: MemberID, _ options: ReplaceOptions, _ stops: [String]) -> Command {
        // By SIGKILL: another signal would not reach one that stands still.
        var words = ["--pdeathsig", "KILL", "--", program, "replace", "\(server)", "--format", "ndjson", "--quiet"]
        if let image = options.image { words += ["--image", "\(image)"] }
        if let strategy = options.strategy { words += ["--strategy", strategy.rawValue] }
        words += ["--data-on-revert", options.dataOnRevert.rawValue]
        if options.forceStop { words.append("--force-stop") }
        if options.rehearsesFirst { words.append("--rehearse") }
        if let connect { words += ["--connect", connect] }
        // A replacement's steps have deadlines of their own; this is for a kiln that hangs.
        var command = Command("setpriv", words, deadline: .seconds(2 * 3600))
        // It ends at a step's end, so that nothing is left half done.
        command.grace = .seconds(30)
        command.surroundings = .inherited(["KILN_FAILPOINT": stops.map { "\($0)=stop" }.joined(separator: ",")])
        return command
    }
}

/// What a kiln of its own says, line by line.
private final class OwnKilnOutput: Sendable {
    private struct Failure: Decodable {
        struct Inner: Decodable {
            let code: ErrorCode
            let message: String
            let hint: String?
            let cause: String?
        }

        let error: Inner
    }

    private let server: MemberID
    private let progress: ProgressSink
    private let failure = Mutex<Failure?>(nil)

    init(of server: MemberID, _ progress: @escaping ProgressSink) {
        self.server = server
        self.progress = progress
    }

    func take(_ line: String) {
        let bytes = Data(line.utf8)
        if let told = (try? JSONDecoder().decode(RecordedEvent.self, from: bytes))?.progress(of: server) {
            progress(told)
        } else if let found = try? JSONDecoder().decode(Failure.self, from: bytes) {
            failure.withLock { $0 = found }
        }
    }

    /// Why it did nothing.
    func refusal(_ ended: Command.Output) -> KilnError {
        let exit = ExitCode(rawValue: ended.status) ?? .aborted
        guard let said = failure.withLock({ $0 })?.error else {
            return KilnError(
                .toolFailed,
                "the kiln that replaces \(server) ended with exit status \(ended.status), expected 0",
                cause: Printable.text(ended.errors),
                exit: exit
            )
        }
        return KilnError(said.code, said.message, hint: said.hint, cause: said.cause, exit: exit)
    }
}

extension RecordedEvent {
    /// What an engine told of one server; nothing where the line is something else.
    func progress(of server: MemberID) -> KilnEngine.Progress? {
        guard event == "progress" else { return nil }
        guard self.server == server.server else { return text.map { .note($0) } }
        switch (generation, step, stepMS, text) {
        case (let generation?, let step?, let time?, _): return .finished(server, generation, step, milliseconds: time)
        case (let generation?, let step?, nil, _): return .began(server, generation, step)
        case (let generation?, nil, _, let text?): return .waiting(server, generation, text)
        case (nil, let step?, _, let text?): return turn(step, text).map { .turnedBack(server, $0) }
        case (nil, nil, _, let text?): return .plan(server, text)
        default: return nil
        }
    }

    // "DIRECTION: REASON", as it is written.
    private func turn(_ step: KilnModel.Step, _ text: String) -> TurnBack? {
        let parts = text.split(separator: ": ", maxSplits: 1).map(String.init)
        guard parts.count == 2, let direction = Direction(rawValue: parts[0]) else { return nil }
        return TurnBack(direction: direction, step: step, code: .replaceInterrupted, reason: parts[1], cause: cause)
    }
}
