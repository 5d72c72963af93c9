import Foundation
import KilnModel
import KilnSystem
import LibvirtKit

extension LibvirtMachines {
    /// Sends a command to QEMU's monitor.
    ///
    /// - Throws: `machine.monitor-refused`.
    public func monitor(
        _ command: String,
        _ arguments: [String: JSONValue],
        of machine: MachineID
    ) async throws -> JSONValue {
        let question = JSONValue.object(["execute": .string(command), "arguments": .object(arguments)])
        let text = String(decoding: try JSONEncoder().encode(question), as: UTF8.self)
        let answer = try await session.change(subject(machine)) { connection in
            try await connection.monitorCommand(text, of: machine.domainName)
        }
        return try require(answer, command, of: machine)
    }

    /// What QEMU answered to a command, unless that is an error.
    @discardableResult
    func require(_ answer: String, _ command: String, of machine: MachineID) throws -> JSONValue {
        let document = try JSONDecoder().decode(JSONValue.self, from: Data(answer.utf8))
        if let found = document["return"] { return found }
        throw KilnError(
            .machineMonitorRefused,
            "QEMU of \(machine) refused \(command)",
            cause: Printable.line(
                Printable.text(document["error"]?["desc"]?.string?.utf8.prefix(500) ?? answer.utf8.prefix(500))
            ),
            exit: .aborted
        )
    }
}
