import Foundation
import KilnOutside
import KilnScenarios

/// The one server of a home, which is used from outside: by commands, sockets, files.
final class LaneServer {
    /// What `kiln ps --format json` says of it.
    struct Status: Decodable {
        struct Port: Decodable { let host: UInt16 }
        struct Operation: Decodable { let number: Int }
        let lab: String
        let generation: Int?
        let state: String
        let halted: Bool
        let ports: [String: Port]
        let operation: Operation?
    }

    /// A ledger that a writer of the server has begun.
    struct Ledger {
        let name: String
        var acknowledged: [Acknowledgement]
    }

    static let name = "sweep/web"
    static let volume = "sweep/data"

    let home: LaneHome
    let acknowledgements: Acknowledgements
    /// The ledgers whose records have to be on the volume, the present one last.
    private(set) var ledgers: [Ledger] = []
    private var begun = 0

    init(_ home: LaneHome) {
        self.home = home
        acknowledgements = Acknowledgements(directory: home.sockets)
    }

    /// Brings it up for the first time.
    func create(_ operation: Operation) throws {
        let strategy =
            switch operation.command {
            case .replace(let strategy): "\n      strategy: \(strategy)"
            case .launch, .snapshot: ""
            }
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
                  stop-timeout: 10s\(strategy)

            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: home.labFile))
        let up = try home.run(["up", "-f", home.labFile])
        guard up.status == 0 else { throw Failure("the sweep's own lab does not come up: \(up.errors)") }
    }

    func status() throws -> Status {
        struct List: Decodable { let servers: [Status] }
        let list = try home.run(["ps", "--format", "json"])
        guard list.status == 0 else { throw Failure("kiln ps ended with \(list.status): \(list.errors)") }
        let servers = try JSONDecoder().decode(List.self, from: Data(list.output.utf8)).servers
        guard let own = servers.first(where: { $0.lab == "sweep" }) else { throw Failure("kiln ps shows no server") }
        return own
    }

    /// The image that a replacement puts in: the other one than before, in turn.
    func nextImage() -> String {
        begun % 2 == 0 ? "tiny:1" : "tiny:2"
    }

    /// Ends the writer that may run, and starts another on a new file; returns once it has acknowledged `count` records.
    ///
    /// The ledger before stays and is checked once more; older ones are removed.
    func beginLedger(awaiting count: Int) throws {
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
                + LedgerWriter.command(path: "/data/ledger-\(begun)")
        )
        try awaitThat("\(count) acknowledged records", within: .seconds(60)) { acknowledgements.count >= count }
    }

    private func exec(_ command: [String]) throws {
        let end = try home.run(["exec", LaneServer.name, "--"] + command)
        guard end.status == 0 else { throw Failure("'\(command.prefix(3))' ended with \(end.status): \(end.errors)") }
    }

    /// The machine's answer to a request names its generation in the instance-id; nothing where none answers.
    func answeringGeneration(port: UInt16) -> Int? {
        guard let answer = LocalSocket.get(port: port, "/generation"),
            let start = answer.range(of: #""instance-id":"web-"#)
        else { return nil }
        return Int(answer[start.upperBound...].prefix { $0.isNumber })
    }
}
