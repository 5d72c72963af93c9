/// One condition of readiness.
///
/// A TCP connection through a user-mode forward proves nothing, because the forward accepts for a machine that never
/// ran; so every probe needs an answer.
public enum Probe: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The guest agent answers.
    case agent
    /// cloud-init has ended: `done`, or also `degraded` (recoverable errors) where that is tolerated.
    case cloudInit(allowDegraded: Bool = false)
    /// An HTTP GET is answered with the status and, where given, a body that contains a text.
    case http(port: Name, path: String, status: Int = 200, contains: String? = nil)
    /// After connecting and sending a text, the answer contains a text.
    case tcp(port: Name, send: String? = nil, expect: String)
    /// A command in the guest ends with exit status 0.
    case exec([String])

    /// The probe in the words of the lab file.
    public var description: String {
        switch self {
        case .agent: "agent"
        case .cloudInit(let allowDegraded): allowDegraded ? "cloud-init (degraded allowed)" : "cloud-init"
        case .http(let port, let path, _, _): "http \(port)\(path)"
        case .tcp(let port, _, _): "tcp \(port)"
        case .exec(let command): "exec \(Self.text(of: command))"
        }
    }

    // A text in the lab file is a command line for the shell, whose name tells nobody which check it was.
    private static func text(of command: [String]) -> String {
        let words = command.starts(with: ["/bin/sh", "-c"]) ? command.dropFirst(2) : command[...]
        return Name.quoted(words.joined(separator: " "))
    }

    /// The published port that the probe needs, if any.
    public var port: Name? {
        switch self {
        case .http(let port, _, _, _), .tcp(let port, _, _): port
        case .agent, .cloudInit, .exec: nil
        }
    }
}
