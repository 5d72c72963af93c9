import Foundation
import Glibc
import KilnOutside

/// A `kiln autopilot` that looks after a lane's lab.
struct LaneAutopilot {
    private let child: Child

    /// What it decides about members that it heals, in words.
    static let acts: Set<String> = ["recover", "start", "restart", "replace", "renew"]

    /// Begins.
    init(_ home: LaneHome) throws { child = try home.start(["autopilot", "sweep", "--format", "ndjson"]) }

    var pid: Int32 { child.pid }

    /// What it has said by now, oldest first: the member's name, and what was decided about it.
    var decisions: [(member: String, word: String)] {
        struct Line: Decodable { let server: String, decision: String }
        // A last line may be cut off.
        return child.output.split(separator: "\n")
            .compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
            .map { ($0.server, $0.decision) }
    }

    /// The same about one member, in words.
    func decisions(about member: LaneMember) -> [String] {
        let name = member.index == 0 ? LaneServer.name : member.name
        return decisions.filter { $0.member == name }.map(\.word)
    }

    /// Requires that it still looks on.
    func requireAlive() throws {
        if child.hasEnded { throw Failure("the autopilot has ended: \(child.errors.suffix(300))") }
    }

    /// Ends it as a person does.
    func end(_ result: inout CellResult, _ transcript: inout Transcript) throws {
        child.send(SIGINT)
        let end = try child.finish(within: .seconds(30))
        transcript.note("autopilot", end, &result)
        if end.status != 130 { result.broken.append("the autopilot ended with \(end.status), not 130") }
    }

    /// Ends it, whatever it does.
    func kill() { child.send(SIGKILL) }
}
