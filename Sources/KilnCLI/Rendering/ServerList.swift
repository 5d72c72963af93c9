import KilnEngine
import KilnModel

/// Servers as a listing.
struct ServerList: Renderable {
    let servers: [ServerStatus]

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
            empty: "no servers"
        )
    }
}

extension ServerStatus {
    /// The state in words: the machine's, and what a person has to know beyond it.
    var condition: String {
        if isHalted { return "halted (\(state.rawValue)); see 'kiln history \(lab)/\(name)'" }
        guard let operation else { return state.rawValue }
        let step = operation.step.rawValue
        guard let pid = operation.pid else { return "\(state.rawValue), \(operation.number) interrupted at \(step)" }
        return "\(state.rawValue), \(operation.number) at \(step) (pid \(pid))"
    }

    /// The published ports, such as `http 127.0.0.1:20080→80`.
    var portList: String {
        let all = ports.sorted { $0.key < $1.key }.map { "\($0.key) 127.0.0.1:\($0.value.host)→\($0.value.guest)" }
        return all.isEmpty ? "-" : all.joined(separator: ", ")
    }
}
