import Foundation
import KilnOutside
import KilnScenarios

/// The one server of a home, or a member of it, which is used from outside: by commands, sockets, files.
final class LaneServer {
    /// What `kiln ps --format json` says of it.
    struct Status: Decodable {
        struct Port: Decodable { let host: UInt16 }
        struct Operation: Decodable { let number: Int }
        struct Image: Decodable { let version: String }
        let lab: String
        let ordinal: Int?
        let generation: Int?
        let state: String
        let image: Image?
        let halted: Bool
        let ports: [String: Port]
        let operation: Operation?
        /// How an open rollout stands; nothing where there is none.
        let rollout: String?
        let instanceID: String?

        enum CodingKeys: String, CodingKey {
            case lab, ordinal, generation, state, image, halted, ports, operation, rollout
            case instanceID = "instance_id"
        }
    }

    /// A ledger that a writer of the server has begun.
    struct Ledger {
        let name: String
        var acknowledged: [Acknowledgement]
    }

    static let name = "sweep/web"
    static let volume = "sweep/data"

    let member: LaneMember
    let acknowledgements: Acknowledgements
    var home: LaneHome { member.home }
    /// The ledgers whose records have to be on the volume, the present one last.
    private(set) var ledgers: [Ledger] = []
    private var begun = 0

    /// A member; without an ordinal, the server itself, which has no others.
    init(_ home: LaneHome, ordinal: Int? = nil) {
        let member = LaneMember(home: home, ordinal: ordinal)
        self.member = member
        // Beside those of other members.
        let own: @Sendable () -> Set<String> = { member.ledgerSockets }
        acknowledgements = Acknowledgements(directory: home.sockets, own: ordinal == nil ? nil : own)
    }

    /// Brings it up for the first time.
    func create(_ operation: Operation) throws {
        switch operation.command {
        case .replace(let strategy): try LaneServer.bringUp(home, ["strategy: \(strategy)"])
        case .launch, .snapshot: try LaneServer.bringUp(home, [])
        case .clone: try LaneServer.bringUp(home, ["launch: flash"])
        }
    }

    /// Writes the lab's file, in which the server has these lines besides, and brings the lab up for the first time.
    static func bringUp(_ home: LaneHome, _ lines: [String]) throws {
        let more = lines.map { "\n      " + $0 }.joined()
        let text = """
            kiln: 1
            name: sweep
            lab:
              volumes:
                data: { size: 64MiB, filesystem: ext4 }
              servers:
                web:
                  image: tiny:1
                  volumes: { data: /data }
                  ports: { http: 80 }
                  ready: [cloud-init, { http: { port: http, path: /health } }]
                  ready-timeout: 60s
                  stop-timeout: 10s\(more)

            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: home.labFile))
        let up = try home.run(["up", "-f", home.labFile])
        guard up.status == 0 else { throw Failure("the sweep's own lab does not come up: \(up.errors)") }
    }

    func status() throws -> Status {
        let own = try LaneServer.statuses(home).first { ($0.ordinal ?? 0) == member.index }
        guard let own else { throw Failure("kiln ps shows no server") }
        return own
    }

    /// What kiln says of the server, or of each of its members.
    static func statuses(_ home: LaneHome) throws -> [Status] {
        struct List: Decodable { let servers: [Status] }
        let list = try home.run(["ps", "--format", "json"])
        guard list.status == 0 else { throw Failure("kiln ps ended with \(list.status): \(list.errors)") }
        return try JSONDecoder().decode(List.self, from: Data(list.output.utf8)).servers.filter { $0.lab == "sweep" }
    }

    /// The image that a replacement puts in: the other one than before, in turn.
    func nextImage() -> String {
        begun % 2 == 0 ? "tiny:1" : "tiny:2"
    }

    /// Ends the writer that may run, and starts another on a new file; returns once it has acknowledged `count` records.
    ///
    /// The ledger before stays and is checked once more; older ones are removed.
    ///
    /// - Parameter rest: seconds between two records, as `sleep` takes them; without it, as fast as the disk allows.
    func beginLedger(awaiting count: Int, rest: String = "") throws {
        try exec(LedgerWriter.stopCommand())
        if !ledgers.isEmpty {
            try acknowledgements.forget { ledgers[ledgers.count - 1].acknowledged = $0 }
        }
        let old = ledgers.dropLast().map { "/data/" + $0.name }
        ledgers = Array(ledgers.suffix(1))
        begun += 1
        ledgers.append(Ledger(name: "ledger-\(begun)", acknowledged: []))
        // The agent waits for what it runs, so the writer leaves its session.
        let start = #"rm -f $1; shift; setsid "$@" </dev/null >/dev/null 2>&1 &"#
        try exec(
            ["/bin/sh", "-c", start, "start", old.joined(separator: " ")]
                + LedgerWriter.command(path: "/data/ledger-\(begun)", pause: rest)
        )
        try awaitThat("\(count) acknowledged records", within: .seconds(60)) { acknowledgements.count >= count }
    }

    private func exec(_ command: [String]) throws {
        let end = try home.run(["exec", member.name, "--"] + command)
        guard end.status == 0 else { throw Failure("'\(command.prefix(3))' ended with \(end.status): \(end.errors)") }
    }

    /// The machine's answer to a request names its generation in the instance-id; nothing where none answers.
    func answeringGeneration(port: UInt16) -> Int? {
        guard let answer = LocalSocket.get(port: port, "/generation"),
            let start = answer.range(of: #""instance-id":"\#(member.host)-"#)
        else { return nil }
        return Int(answer[start.upperBound...].prefix { $0.isNumber })
    }
}
