/// One condition of readiness.
///
/// A TCP connection through a user-mode forward proves nothing, because the forward accepts for a machine that never
/// ran; so every probe needs an answer.
public enum Probe: Sendable, Hashable, CustomStringConvertible {
    /// The guest agent answers.
    case agent
    /// cloud-init has ended: `done`, or also `degraded` (recoverable errors) where that is tolerated.
    case cloudInit(allowDegraded: Bool = false)
    /// A request over HTTP is answered as expected.
    case http(HTTPProbe)
    /// After connecting and sending a text, the answer contains a text.
    case tcp(port: Name, send: String? = nil, expect: String)
    /// A command in the guest ends with exit status 0.
    case exec([String])
    /// Something in the guest is as expected.
    case resource(GuestResource)
    /// A probe does not hold, which has to be seen: what can't be looked at is no proof.
    indirect case not(Probe)
    /// One of them holds at least; they are asked in order, until one does.
    indirect case any([Probe])
    /// Each of them holds.
    indirect case all([Probe])

    /// The probe in the words of the lab file.
    public var description: String {
        switch self {
        case .agent: "agent"
        case .cloudInit(let allowDegraded): allowDegraded ? "cloud-init (degraded allowed)" : "cloud-init"
        case .http(let http): "\(http.tls == nil ? "http" : "https") \(http.port)\(http.path)"
        case .tcp(let port, _, _): "tcp \(port)"
        // A text in the lab file is a command line for the shell, whose name tells nobody which check it was.
        case .exec(let command): "exec \(CommandResource(run: command).title)"
        case .resource(let resource): resource.description
        case .not(let probe): "not \(probe)"
        case .any(let probes): "any of " + probes.map(\.description).joined(separator: ", ")
        case .all(let probes): "all of " + probes.map(\.description).joined(separator: ", ")
        }
    }

    /// The probes that it is made of, down to those that ask something themselves.
    public var leaves: [Probe] {
        switch self {
        case .not(let probe): probe.leaves
        case .any(let probes), .all(let probes): probes.flatMap(\.leaves)
        case .agent, .cloudInit, .http, .tcp, .exec, .resource: [self]
        }
    }

    /// The published ports that the probe needs.
    public var ports: [Name] {
        leaves.compactMap { leaf in
            switch leaf {
            case .http(let http): http.port
            case .tcp(let port, _, _): port
            default: nil
            }
        }
    }

    /// Whether it can be looked at without a running machine.
    public var isOffline: Bool {
        leaves.allSatisfy { if case .resource(let resource) = $0 { resource.isOffline } else { false } }
    }

    /// Whether it runs a command of the user's in the guest, which may change something there.
    public var runsCommand: Bool {
        leaves.contains { leaf in
            switch leaf {
            case .exec, .resource(.command): true
            default: false
            }
        }
    }
}

// A map of one field, the kind, whose value has the parts: as the first versions wrote it. The kind of a resource is one more.
extension Probe: Codable {
    private enum Kind: String, CodingKey { case agent, cloudInit, http, tcp, exec, not, any, all }
    private struct Agent: Codable {}
    private struct CloudInit: Codable { let allowDegraded: Bool }
    private struct TCP: Codable {
        let port: Name
        let send: String?
        let expect: String
    }
    private struct Exec: Codable {
        let command: [String]
        private enum CodingKeys: String, CodingKey { case command = "_0" }
    }

    /// Decodes a probe that this or an earlier version wrote.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Kind.self)
        switch fields.allKeys.first {
        case .agent: self = .agent
        case .cloudInit:
            self = .cloudInit(allowDegraded: try fields.decode(CloudInit.self, forKey: .cloudInit).allowDegraded)
        case .http: self = .http(try fields.decode(HTTPProbe.self, forKey: .http))
        case .tcp:
            let tcp = try fields.decode(TCP.self, forKey: .tcp)
            self = .tcp(port: tcp.port, send: tcp.send, expect: tcp.expect)
        case .exec: self = .exec(try fields.decode(Exec.self, forKey: .exec).command)
        case .not: self = .not(try fields.decode(Probe.self, forKey: .not))
        case .any: self = .any(try fields.decode([Probe].self, forKey: .any))
        case .all: self = .all(try fields.decode([Probe].self, forKey: .all))
        case nil: self = .resource(try GuestResource(from: decoder))
        }
    }

    /// Encodes a probe.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Kind.self)
        switch self {
        case .agent: try fields.encode(Agent(), forKey: .agent)
        case .cloudInit(let allowDegraded):
            try fields.encode(CloudInit(allowDegraded: allowDegraded), forKey: .cloudInit)
        case .http(let http): try fields.encode(http, forKey: .http)
        case .tcp(let port, let send, let expect):
            try fields.encode(TCP(port: port, send: send, expect: expect), forKey: .tcp)
        case .exec(let command): try fields.encode(Exec(command: command), forKey: .exec)
        case .not(let probe): try fields.encode(probe, forKey: .not)
        case .any(let probes): try fields.encode(probes, forKey: .any)
        case .all(let probes): try fields.encode(probes, forKey: .all)
        case .resource(let resource): try resource.encode(to: encoder)
        }
    }
}
