import Foundation
import Glibc
import KilnModel
import KilnSystem

/// Asks a running HAProxy, by its runtime socket.
///
/// Its answers to commands are sentences, whose words change from version to version. So whatever it is told, what it then says of
/// its servers decides.
struct FrontSocket: Sendable {
    let place: FrontPlace
    /// How long it may take for an answer.
    var patience = Duration.seconds(10)

    /// What it says of itself.
    struct About: Sendable, Hashable {
        /// Its process.
        let process: Int32
        /// The ground of what it was told at its start.
        let ground: String
    }

    /// What it says of a server.
    struct Server: Sendable, Hashable {
        /// The port that requests are sent to.
        let port: UInt16
        /// How it takes part.
        let standing: FrontPlan.Standing
        /// How many connections it has now, those that wait for it included.
        let connections: Int
        /// How many it has had.
        let total: Int
    }

    /// How its latest start went; nothing where that is not known.
    var attempt: FrontAttempt? {
        // The user who runs machines may write there, too.
        guard let file = try? OpenFile(reading: place.attempt) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = (try? bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }) ?? 0
        return try? JSONDecoder().decode(FrontAttempt.self, from: Data(bytes.prefix(count)))
    }

    /// Who listens; nothing where nobody does.
    func about() throws -> About? {
        guard let answer = try ask("show info") else { return nil }
        let fields = answer.split(separator: "\n").map { $0.split(separator: ":", maxSplits: 1) }.filter {
            $0.count == 2
        }
        func field(_ name: String) -> String? {
            fields.first { $0[0] == name }.map { $0[1].trimmingCharacters(in: .whitespaces) }
        }
        guard let process = field("Pid").flatMap({ Int32($0) }) else { throw failed("it does not tell its process") }
        return About(process: process, ground: field("description") ?? "")
    }

    /// All servers by backend and slot, such as `http/m0`; nothing where no HAProxy runs.
    func servers() throws -> [String: Server]? {
        guard let states = try ask("show servers state"), let counts = try ask("show stat -1 4 -1") else { return nil }
        let traffic = FrontTable(counts, separator: ",").rows.reduce(into: [String: [String: String]]()) {
            $0["\($1["pxname"] ?? "")/\($1["svname"] ?? "")"] = $1
        }
        var servers: [String: Server] = [:]
        for row in FrontTable(states, separator: " ").rows {
            guard let backend = row["be_name"], let slot = row["srv_name"],
                let port = row["srv_port"].flatMap({ UInt16($0) }),
                let reasons = row["srv_admin_state"].flatMap({ Int($0) })
            else { throw failed("the table of its servers lacks columns") }
            let counted = traffic["\(backend)/\(slot)"] ?? [:]
            func count(_ name: String) -> Int { counted[name].flatMap { UInt32($0) }.map(Int.init) ?? 0 }
            servers["\(backend)/\(slot)"] = Server(
                port: port,
                standing: FrontSocket.standing(reasons),
                connections: count("scur") + count("qcur"),
                total: count("stot")
            )
        }
        return servers
    }

    /// What it has to do for all its ports; nothing where no HAProxy runs.
    ///
    /// What waits for a member that is free is in the queues. What the script holds is in a frontend and not in its backend yet, as
    /// are connections of clients that ask for nothing; so that is counted only while nobody serves.
    func load() throws -> FrontLoad? {
        guard let about = try about(), let answer = try ask("show stat -1 7 -1") else { return nil }
        var (answered, queued) = (0, 0)
        var (held, isServed): ([String: Int], Set<String>) = ([:], [])
        for row in FrontTable(answer, separator: ",").rows {
            func count(_ name: String) -> Int { row[name].flatMap { UInt32($0) }.map(Int.init) ?? 0 }
            let name = row["pxname"] ?? ""
            queued += count("qcur")
            switch row["svname"] {
            case "FRONTEND": held[name, default: 0] += count("scur")
            case "BACKEND":
                held[name, default: 0] -= count("scur")
                if count("act") > 0 { isServed.insert(name) }
            default: answered += count("stot")
            }
        }
        let waiting = held.filter { !isServed.contains($0.key) }.values.map { max(0, $0) }.reduce(queued, +)
        return FrontLoad(process: about.process, answered: answered, waiting: waiting)
    }

    // SRV_ADMF_* of HAProxy's server-t.h: 0x01, 0x02 and 0x20 are reasons for maintenance, 0x08 and 0x10 for a drain. 0x04 says only
    // that it began disabled.
    private static func standing(_ reasons: Int) -> FrontPlan.Standing {
        if reasons & 0x23 != 0 { return .out }
        return reasons & 0x18 != 0 ? .draining : .serving
    }

    /// Sends a command; what it says, or nothing where no HAProxy runs.
    func ask(_ command: String) throws -> String? {
        let connection: Int32
        do {
            connection = try UnixSocket.connect(to: place.socket, within: Int(patience / .seconds(1)))
        } catch {
            switch error.code {
            case .ENOENT, .ECONNREFUSED, .ENOTDIR: return nil
            default: throw failed("\(place.socket): \(error.localizedDescription)")
            }
        }
        defer { close(connection) }
        let bytes = Array((command + "\n").utf8)
        guard Glibc.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return nil }
        return try receive(connection)
    }

    // Every answer has a line at least: without one it has ended meanwhile.
    private func receive(_ connection: Int32) throws -> String? {
        let end = ContinuousClock.now + patience
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let left = Int32(clamping: max(0, Int((end - .now) / .milliseconds(1))))
            guard Descriptor.isReady(connection, for: .reading, within: left) else {
                throw failed("it does not answer within \(patience)", exit: .deadline)
            }
            let count = read(connection, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0, bytes.count < 1 << 22 else {
                return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
            }
            bytes += chunk.prefix(count)
        }
    }

    func failed(_ cause: String, exit: ExitCode = .aborted) -> KilnError {
        KilnError(
            .frontFailed,
            "the front at \(place.socket) does not do what it is told",
            hint: "end it and run the command again: 'pkill -KILL -f \(place.configuration)'; it comes back as it was",
            cause: Printable.text(cause.utf8),
            exit: exit
        )
    }
}

/// A table of HAProxy's, whose columns have names in a line that begins with `# `; each version has more of them.
struct FrontTable: Sendable {
    /// Its rows, by the names of the columns.
    let rows: [[String: String]]

    /// The table in what HAProxy says.
    init(_ text: String, separator: Character) {
        let lines = text.split(separator: "\n")
        let header = lines.first { $0.hasPrefix("# ") }?.dropFirst(2) ?? ""
        let columns = header.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
        // The tables by spaces begin with the number of their format, alone in its line.
        rows = lines.filter { !$0.hasPrefix("#") && $0.contains(separator) }.map { line in
            let values = line.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
            return Dictionary(zip(columns, values)) { first, _ in first }
        }
    }
}
