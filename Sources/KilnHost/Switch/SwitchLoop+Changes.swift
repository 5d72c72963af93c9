import Foundation
import Glibc
import KilnModel
import KilnSystem

extension SwitchLoop {
    /// Does what it is asked, but for ending.
    func reply(to request: SwitchRequest) -> SwitchAnswer {
        switch request {
        case .end: return SwitchAnswer()
        case .status:
            return SwitchAnswer(
                status: SwitchStatus(
                    pid: getpid(),
                    ports: fabric.ports.map(\.status),
                    faults: fabric.table.faults,
                    sets: fabric.table.sets
                )
            )
        case .change(let changes):
            do {
                try change(changes)
                return SwitchAnswer()
            } catch {
                return SwitchAnswer(refusal: (error as? KilnError)?.message ?? "\(error)")
            }
        }
    }

    // Every socket is bound and the table kept before anything is different.
    private func change(_ changes: [SwitchTable.Change]) throws {
        var next = fabric.table
        changes.forEach { next.apply($0) }
        guard next.ports.count <= SwitchRequest.mostPorts else {
            throw KilnError(
                .networkSwitchFailed,
                "a switch has \(SwitchRequest.mostPorts) ports at most",
                exit: .aborted
            )
        }
        let machines = Set(next.ports.map(\.machine))
        var bound = outlets.filter { machines.contains($0.key) }
        for port in next.ports where !isBound(port) { bound[port.machine] = try SwitchOutlet(port) }
        try DurableFile.writeJSON(next, to: place.table, mode: 0o600)
        for port in fabric.table.ports where !machines.contains(port.machine) { unlink(port.socket) }
        outlets = bound
        fabric.adopt(next, at: .now)
    }

    // Somebody may have removed the socket's name.
    private func isBound(_ port: SwitchPort) -> Bool {
        guard let present = fabric.table.ports.first(where: { $0.machine == port.machine }) else { return false }
        return present.socket == port.socket && present.card == port.card && outlets[port.machine] != nil
            && access(port.socket, F_OK) == 0
    }
}

extension SwitchPlace {
    /// Removes all that a switch is reached by, and what it was told.
    func remove(_ loop: SwitchLoop? = nil) {
        for path in [table, socket] + (loop?.fabric.table.ports.map(\.socket) ?? []) { unlink(path) }
    }
}
