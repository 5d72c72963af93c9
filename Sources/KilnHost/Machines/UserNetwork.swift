import KilnEngine
import KilnModel
import KilnSystem
import LibvirtKit
import LibvirtXML

/// The forwards of QEMU's user-mode network, which only its human monitor can change.
enum UserNetwork {
    /// The forwards from 127.0.0.1 that a machine has.
    static func forwards(of domain: String, on connection: LibvirtConnection) async throws -> [PortForward] {
        try await read(connection.monitorCommand("info usernet", of: domain, style: .human))
    }

    /// Adds and removes forwards until the machine has exactly `wanted`.
    ///
    /// - Throws: `KilnError` with code `port.taken` or `machine.forward-failed`; `LibvirtError`.
    static func publish(
        _ wanted: [PortForward],
        replacing present: [PortForward],
        of domain: String,
        on connection: LibvirtConnection
    ) async throws {
        for forward in present where !wanted.contains(forward) {
            let command = "hostfwd_remove \(DomainDocument.netdev) tcp:127.0.0.1:\(forward.host)"
            // The answer is text for people in every case; whether the port is free shows when it is needed.
            _ = try await connection.monitorCommand(command, of: domain, style: .human)
        }
        for forward in wanted where !present.contains(forward) {
            let command = "hostfwd_add \(DomainDocument.netdev) tcp:127.0.0.1:\(forward.host)-:\(forward.guest)"
            let answer = Printable.text(try await connection.monitorCommand(command, of: domain, style: .human).utf8)
            // Success is silent.
            guard answer.isEmpty else { throw refused(forward, answer) }
        }
    }

    private static func refused(_ forward: PortForward, _ answer: String) -> KilnError {
        guard LoopbackPorts().isFree(forward.host) else { return LoopbackPorts.taken(forward.host, cause: answer) }
        return KilnError(
            "machine.forward-failed",
            "QEMU refused to forward port \(forward.host) of 127.0.0.1 to port \(forward.guest) of the guest",
            cause: answer
        )
    }

    /// Reads the table of `info usernet`.
    ///
    /// A line of it: `TCP[HOST_FORWARD]  12  127.0.0.1 20000  10.0.2.15 80`.
    static func read(_ table: String) -> [PortForward] {
        table.split(whereSeparator: \.isNewline).compactMap { line in
            let fields = line.split(whereSeparator: \.isWhitespace)
            guard fields.count >= 6, fields[0] == "TCP[HOST_FORWARD]", fields[2] == "127.0.0.1",
                let host = UInt16(fields[3]), let guest = UInt16(fields[5])
            else { return nil }
            return PortForward(host: host, guest: guest)
        }
    }
}
