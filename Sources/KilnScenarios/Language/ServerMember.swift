import KilnDocuments
import KilnModel

/// What a step is about where it is about one machine: a server, which means its first member, or one of its members, such as
/// `web.1`.
struct ServerMember: Sendable, Hashable, CustomStringConvertible {
    let server: Name
    var ordinal = 0

    /// `web`, and `web.1` for others than the first.
    var description: String { id(in: server).title }

    /// The same in a lab.
    func id(in lab: Name) -> MemberID { MemberID(lab: lab, server: server, ordinal: ordinal) }
}

extension StepReader {
    /// A server of the lab, or one of its members.
    func member(_ value: Value?) -> ServerMember? {
        guard let value, case .scalar(let scalar) = value.node.content,
            let match = scalar.text.wholeMatch(of: /(.+)\.([0-9]+)/)
        else { return server(value).map { ServerMember(server: $0) } }
        guard let server = value.reference("server", text: String(match.1), among: serverNames) else { return nil }
        let spec = lab.server(server)?.spec
        // Those that an autopilot may let come are declared, too, and so are those of a step before.
        let count = max(spec?.replicas ?? 1, spec?.autoscale?.max ?? 1, declared[server] ?? 1)
        guard let ordinal = Int(match.2), ordinal < count else {
            let known = (0..<count).map { "\(server).\($0)" }.joined(separator: ", ")
            value.problem("expected a member of \(server), found \(Name.quoted(scalar.text)); declared: \(known)")
            return nil
        }
        return ServerMember(server: server, ordinal: ordinal)
    }
}
