import KilnEngine
import KilnModel

/// Servers as a listing.
struct ServerList: Renderable {
    let servers: [ServerStatus]
    private var empty = "no servers"

    /// These servers.
    init(servers: [ServerStatus]) { self.servers = servers }

    /// Those of these servers that are due to be replaced.
    init(due servers: [ServerStatus]) {
        self.servers = servers.filter(\.isDue)
        empty = "no server is due to be replaced"
    }

    struct Payload: Encodable {
        let servers: [ServerStatus]
    }

    var payload: Payload { Payload(servers: servers) }

    var human: HumanView {
        let rows = servers.map { server in
            [
                "\(server.lab)/\(server.name)", server.generation?.description ?? "-", server.condition,
                server.image.map { "\($0.name):\($0.version)" } ?? "-", server.portList,
            ]
        }
        return .table(
            TextTable(header: ["server", "gen", "state", "image", "ports"], rows: rows),
            empty: empty
        )
    }
}

extension ServerStatus {
    /// The state in words: the machine's, and what a person has to know beyond it.
    var condition: String {
        ([work] + formatted + (standing?.remarks ?? []) + [due].compactMap(\.self)).joined(separator: ", ")
    }

    private var formatted: [String] {
        (reformatted ?? [:]).sorted { $0.key < $1.key }.map { volume, snapshot in
            "volume \(volume) formatted: 'kiln volume restore \(lab)/\(volume) \(snapshot)'"
        }
    }

    private var due: String? {
        if let moved {
            let image = moved.image
            return "due: \(moved.channel) is now \(image.name):\(image.version) (\(image.digest.short))"
        }
        return isDue ? "due" + (age.map { " (\(ServerStatus.days($0)) old)" } ?? "") : nil
    }

    private var work: String {
        if let problem { return "unknown: \(ConsoleText.singleLine(problem))" }
        if isHalted { return "halted (\(state.rawValue)); see 'kiln history \(lab)/\(name)'" }
        guard let operation else { return state.rawValue }
        let step = operation.step.rawValue
        guard let pid = operation.pid else { return "\(state.rawValue), \(operation.number) interrupted at \(step)" }
        return "\(state.rawValue), \(operation.number) at \(step) (pid \(pid))"
    }

    /// An age for people: `31 d`, `5 h`, `2 min 03 s`.
    static func days(_ age: Duration) -> String {
        let hours = age.components.seconds / 3600
        return hours >= 48 ? "\(hours / 24) d" : hours >= 2 ? "\(hours) h" : ProgressLines.seconds(age)
    }

    /// The published ports, such as `http 127.0.0.1:20080→80`, and addresses on networks of the lab, such as `lan 10.70.3.10`.
    var portList: String {
        let published = ports.sorted { $0.key < $1.key }.map { name, port in
            "\(name) 127.0.0.1:\(port.host)→\(port.guest)\(port.transport.suffix)"
        }
        let all = published + networks.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return all.isEmpty ? "-" : all.joined(separator: ", ")
    }
}
