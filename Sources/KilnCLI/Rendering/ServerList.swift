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
        .table(TextTable(header: ["server", "gen", "state", "image", "ports"], rows: rows), empty: empty)
    }

    // A server with members is a tree: what belongs to all of them stands in its own line.
    private var rows: [[String]] {
        var rows: [[String]] = []
        for (index, server) in servers.enumerated() {
            guard let ordinal = server.ordinal else {
                rows.append(row("\(server.lab)/\(server.name)", server, server.portList))
                continue
            }
            let whole = server.id.whole
            let members = servers.filter { $0.id.whole == whole }
            // One of several, which says nothing of the others.
            if members.count == 1 {
                rows.append(row("\(whole).\(ordinal)", server, server.details))
                continue
            }
            if index == 0 || servers[index - 1].id.whole != whole {
                rows.append(["\(whole)", "", ServerStatus.summary(members), "", server.portList])
            }
            let isLast = index == servers.count - 1 || servers[index + 1].id.whole != whole
            rows.append(row("\(isLast ? "└" : "├") \(server.name).\(ordinal)", server, server.details))
        }
        return rows
    }

    private func row(_ title: String, _ server: ServerStatus, _ last: String) -> [String] {
        let image = server.image.map { "\($0.name):\($0.version)" } ?? "-"
        return [title, server.generation?.description ?? "-", server.condition, image, last]
    }
}

extension ServerStatus {
    /// What is so of all members together: how many there are, and what concerns them all.
    static func summary(_ members: [ServerStatus]) -> String {
        let serving = members.filter { $0.state == .running && $0.isIn != false }.count
        let count = members.count == 1 ? "1 member" : "\(members.count) members"
        return (["\(count), \(serving) serving"] + [members.first?.rollout].compactMap(\.self)).joined(separator: "; ")
    }

    /// What is a member's own: how old it is, its image's digest, its share of the requests.
    var details: String {
        let digest = image.map { String($0.digest.short) }
        let old = age.map { "\(ServerStatus.days($0)) old" }
        let asked = share.map { "\($0) % of requests" }
        return [old, digest, isIn == false ? "no requests" : asked].compactMap(\.self).joined(separator: ", ")
    }
}

extension ServerStatus {
    /// The state in words: the machine's, and what a person has to know beyond it.
    var condition: String {
        ([work] + cloned + formatted + (standing?.remarks ?? []) + [due, heal].compactMap(\.self)).joined(
            separator: ", "
        )
    }

    // Its image has not shown that it boots.
    private var cloned: [String] { isCloned == true && state.isAlive ? ["cloned, not booted"] : [] }

    // Only where an autopilot is, or was in vain.
    private var heal: String? {
        guard let autopilot else { return nil }
        if autopilot.isGivenUp { return "given up by the autopilot: 'kiln history \(id)'" }
        return autopilot.pid.map { "autopilot (pid \($0))" }
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
        if isHalted { return "halted (\(state.rawValue)); see 'kiln history \(id)'" }
        guard let operation else { return state.rawValue }
        let step = operation.step.rawValue
        guard let pid = operation.pid else {
            return "\(state.rawValue), operation \(operation.number) interrupted at \(step)"
        }
        return "\(state.rawValue), operation \(operation.number) at \(step) (pid \(pid))"
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
