import Foundation
import KilnModel
import KilnSystem

/// The ports that the next generations of a lab's servers publish: chosen once, then the same for every generation.
struct PortBook: Sendable, Codable {
    /// The host's port by server and port name.
    private(set) var ports: [Name: [Name: UInt16]] = [:]

    /// Fills in what the lab declares and the book lacks.
    ///
    /// A port that the file fixes is taken as it is.
    mutating func fill(_ lab: LabSpec, takenElsewhere: Set<UInt16>, host: any HostPorts) throws {
        for (server, spec) in lab.servers.sorted(by: { $0.key < $1.key }) {
            for (name, port) in spec.ports.sorted(by: { $0.key < $1.key }) {
                if let fixed = port.host {
                    ports[server, default: [:]][name] = fixed
                } else if ports[server]?[name] == nil {
                    let chosen = try PortBook.choose(besides: takenElsewhere.union(all), port.transport, host: host)
                    ports[server, default: [:]][name] = chosen
                }
            }
        }
    }

    /// Refuses a lab that fixes a port which its machines may not listen on.
    static func requireAllowed(_ lab: LabSpec, by host: any HostPorts) throws {
        for (server, spec) in lab.servers.sorted(by: { $0.key < $1.key }) {
            let fixed = spec.ports.values.compactMap(\.host).sorted()
            if let port = fixed.first(where: { $0 < host.lowest }) { throw privileged(port, of: server, host) }
        }
    }

    private static func privileged(_ port: UInt16, of server: Name, _ host: any HostPorts) -> KilnError {
        KilnError(
            .portPrivileged,
            "server \(server) wants port \(port) of the host, but ports below \(host.lowest) need a privilege that machines don't have",
            hint: "publish port \(host.lowest) or a higher one; as root, "
                + "'sysctl net.ipv4.ip_unprivileged_port_start=\(port)' lets everybody use it",
            exit: .usage
        )
    }

    /// Strikes a server out.
    mutating func forget(_ server: Name) { ports[server] = nil }

    /// Every port in the book.
    var all: Set<UInt16> { Set(ports.values.flatMap(\.values)) }

    /// The ports of all labs: the published ones, those by which fronts and kiln reach their machines, and those of external
    /// services.
    static func taken(in state: StateDirectory) throws -> Set<UInt16> {
        try children(of: state.labs).reduce(into: ExternalAccess.ports(in: state)) { ports, lab in
            ports.formUnion(try DurableFile.readJSON(PortBook.self, from: state.lab(lab) + "/ports.json")?.all ?? [])
            for server in children(of: state.lab(lab) + "/servers") {
                for place in places(of: ServerID(lab: lab, server: server), state) {
                    ports.formUnion(access(of: place, state))
                }
            }
        }
    }

    /// Refuses a lab of a run that fixes a port which another lab publishes: it would fail halfway.
    static func refuseTaken(_ lab: LabSpec, in state: StateDirectory) throws {
        let labs = (try? FileManager.default.contentsOfDirectory(atPath: state.labs)) ?? []
        let others = try labs.compactMap { try? Name($0) }.filter { $0 != lab.name }.sorted().flatMap { other in
            let book = try DurableFile.readJSON(PortBook.self, from: state.lab(other) + "/ports.json")
            return (book?.ports ?? [:]).map { (server: MemberID(lab: other, server: $0.key), ports: $0.value) }
        }
        for (server, spec) in lab.servers.sorted(by: { $0.key < $1.key }) {
            for port in spec.ports.values.compactMap(\.host).sorted() {
                guard let holder = others.first(where: { $0.ports.values.contains(port) })?.server else { continue }
                throw KilnError(
                    .portTaken,
                    "server \(server) wants port \(port) of the host, which \(holder) publishes",
                    hint:
                        "leave 'host' out, and Kiln chooses a port for each run; or take that lab down: 'kiln down \(holder.lab)'",
                    exit: .blocked
                )
            }
        }
    }

    // One that can't be read keeps no other machine from its ports: whether they are free is seen on the host.
    private static func access(of id: MemberID, _ state: StateDirectory) -> [UInt16] {
        let generations = try? FileManager.default.contentsOfDirectory(atPath: state.member(id) + "/generations")
        return (generations ?? []).compactMap(Int.init).flatMap { number in
            let machine = id.machine(Generation(number))
            let access = try? DurableFile.readJSON(GuestAccessRecord.self, from: state.access(machine))?.port
            let own = try? DurableFile.readJSON([Name: UInt16].self, from: state.ownPorts(machine))
            return [access].compactMap(\.self) + (own ?? [:]).values
        }
    }

    private static func places(of server: ServerID, _ state: StateDirectory) -> [MemberID] {
        let others = (try? FileManager.default.contentsOfDirectory(atPath: state.members(server))) ?? []
        return ([0] + others.compactMap(Int.init)).map(server.member)
    }

    private static func children(of folder: String) -> [Name] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap { try? Name($0) }
    }

    /// A free port of the host that is not among `taken`, whichever transport those are of.
    static func choose(besides taken: Set<UInt16>, _ transport: Transport, host: any HostPorts) throws -> UInt16 {
        let start = UInt16.random(in: host.choice)
        let order = Array(start...host.choice.upperBound) + Array(host.choice.lowerBound..<start)
        guard let port = order.first(where: { !taken.contains($0) && host.isFree($0, transport) }) else {
            throw KilnError(
                .portNoneFree,
                "no free port on 127.0.0.1 between \(host.choice.lowerBound) and \(host.choice.upperBound)",
                hint: "take labs down that are not needed: 'kiln ps', 'kiln down LAB'",
                exit: .blocked
            )
        }
        return port
    }
}
