import KilnOutside

/// Those who look on at a server with members: a client of its published port, and who counts the members that are out.
struct FleetWatch {
    private let members: MemberWatch
    private let client: PublishedClient

    /// They start to look.
    init(_ home: LaneHome, port: UInt16) { (members, client) = (MemberWatch(home), PublishedClient(port: port)) }

    /// Ends the QEMU of the one machine that a member has; whoever counts those that are out knows whose doing it is.
    func kill(_ member: LaneMember) throws {
        let running = member.machines.compactMap { Embodiment($0)?.generation }
        guard let generation = running.first, running.count == 1 else {
            throw Failure("one machine of member \(member.index) was to be killed, and \(running) run")
        }
        members.forgive(member.index, generation)
        try member.kill(generation)
    }

    /// They stop to look, and tell what they saw.
    ///
    /// - Parameter mayFail: whether requests may fail.
    func end(_ result: inout CellResult, mayFail: Bool) {
        let (members, client) = (members.end(), client.end())
        result.tooManyOut = members.tooMany
        result.notes.append("\(members.looks) looks, \(members.answers) answers of members, \(members.late) late")
        if let first = members.first { result.notes.append("too many out: \(first)") }
        // What was not looked at was not tried.
        if members.looks == 0 || members.answers == 0 { result.broken.append("the members were not watched") }
        result.notes.append("client: \(client.failed) of \(client.requests) requests failed, \(client.late) late")
        if client.failed > 0 && !mayFail {
            result.broken.append("\(client.failed) requests failed, though clients had nothing to do with the fault")
        }
        if client.requests == 0 { result.broken.append("no request was made") }
    }
}
