import Foundation
import KilnModel

extension LabEngine {
    /// All servers, or those of one lab; one of which nothing can be known hides no other.
    public func statuses(_ lab: Name? = nil) async throws -> [ServerStatus] {
        let wanted = try servers().filter { lab == nil || $0.lab == lab }
        guard !wanted.isEmpty else { return [] }
        let known = try await known()
        let labs = Set(wanted.map(\.lab)).reduce(into: [:]) { $0[$1] = try? self.lab($1) }
        return await withTaskGroup { group in
            for id in wanted {
                group.addTask { statusOrProblem(id, known, declared: labs[id.lab]?.servers[id.server]) }
            }
            let found = await group.reduce(into: [:]) { $0[ServerID(lab: $1.lab, server: $1.name)] = $1 }
            return wanted.compactMap { found[$0] }
        }
    }

    private func statusOrProblem(_ id: ServerID, _ known: Known, declared: ServerSpec?) -> ServerStatus {
        do {
            return try status(id, known, declared: declared)
        } catch {
            return unknown(id, KilnError.wrapping(error).message)
        }
    }

    /// One server.
    public func status(_ id: ServerID) async throws -> ServerStatus {
        _ = try existing(id)
        return try status(id, try await known(), declared: try? lab(id.lab).servers[id.server])
    }

    /// What is looked up once, however many servers there are.
    private struct Known: Sendable {
        let states: [MachineID: MachineState]
        let lent: [ServerID: Set<Generation>]
    }

    private func known() async throws -> Known {
        // Volumes are read while the hypervisor is being reached.
        async let states = parts.machines.machines()
        let lent = volumes.lentGenerations()
        return Known(states: try await states, lent: lent)
    }

    private func status(_ id: ServerID, _ known: Known, declared: ServerSpec?) throws -> ServerStatus {
        let workspace = workspace(id)
        let history = try workspace.history(lent: known.lent)
        let machine = try? machine(id, in: history)
        let record = machine.flatMap { try? workspace.record($0) }
        let published = record.flatMap { try? workspace.publishedPorts(of: $0) } ?? [:]
        let ports = (record?.spec.ports ?? [:]).compactMap { name, port in
            published[name].map { (name, ServerStatus.Port(host: $0, guest: port.guest)) }
        }
        let current = history.current.map(id.machine)
        let serving = current == machine ? record : current.flatMap { try? workspace.record($0) }
        let age = serving.map { max(0, Int(Date.now.timeIntervalSince($0.created))) }
        // As declared by now: a server becomes due also where the file came to say so after the machine was made.
        let maxAge = (declared ?? serving?.spec)?.maxAge
        return ServerStatus(
            lab: id.lab,
            name: id.server,
            generation: history.current,
            state: machine.flatMap { known.states[$0] } ?? .absent,
            image: record?.image,
            instanceID: record?.instanceID,
            ports: Dictionary(uniqueKeysWithValues: ports),
            volumes: record?.spec.volumes ?? [:],
            operation: history.open.map(openOperation),
            isHalted: history.halted != nil,
            ageSeconds: age,
            isDue: ServerStatus.isDue(age: age, maxAge: maxAge),
            problem: nil
        )
    }

    private func unknown(_ id: ServerID, _ problem: String) -> ServerStatus {
        ServerStatus(
            lab: id.lab,
            name: id.server,
            generation: nil,
            state: .absent,
            image: nil,
            instanceID: nil,
            ports: [:],
            volumes: [:],
            operation: nil,
            isHalted: false,
            ageSeconds: nil,
            isDue: false,
            problem: problem
        )
    }

    /// An operation that has not ended, and the process that works on it.
    func openOperation(_ operation: ServerHistory.Operation) -> ServerStatus.OpenOperation {
        // A process of another name with the same number came later.
        let name = try? String(contentsOfFile: "/proc/\(operation.pid)/comm", encoding: .utf8)
        let own = try? String(contentsOfFile: "/proc/self/comm", encoding: .utf8)
        let alive = name != nil && name == own
        return ServerStatus.OpenOperation(
            number: operation.replacement.intent.number,
            step: operation.replacement.entered.last ?? .plan,
            pid: alive ? operation.pid : nil
        )
    }
}

extension ServerStatus {
    static func isDue(age: Int?, maxAge: Duration?) -> Bool {
        guard let age, let maxAge else { return false }
        return .seconds(age) > maxAge
    }
}
