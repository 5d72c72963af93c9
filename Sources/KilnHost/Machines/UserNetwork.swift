import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import LibvirtKit
import LibvirtXML

/// The forwards of QEMU's user-mode network, which only its human monitor can change.
enum UserNetwork {
    /// The forwards from 127.0.0.1 that a machine has.
    static func forwards(of domain: String, on connection: LibvirtConnection) async throws -> [PortForward] {
        let question = "info usernet"
        do {
            return try await read(connection.monitorCommand(question, of: domain, style: .human))
        } catch {
            // To ask twice harms nobody.
            return try await read(connection.monitorCommand(question, of: domain, style: .human))
        }
    }

    /// Adds and removes forwards until the machine has exactly `wanted`; the table that QEMU gives then is what counts, not
    /// its answers, which are text for people.
    ///
    /// - Parameter isNew: whether it can't have any yet.
    /// - Throws: `KilnError` with code `port.taken` or `machine.forward-failed`; `LibvirtError`.
    static func publish(
        _ wanted: [PortForward],
        of domain: String,
        isNew: Bool,
        on connection: LibvirtConnection
    ) async throws {
        let present = isNew ? [] : try await forwards(of: domain, on: connection)
        guard Set(present) != Set(wanted) else { return }
        for forward in present where !wanted.contains(forward) {
            await ask(
                "hostfwd_remove \(DomainDocument.netdev) \(forward.transport.rawValue):127.0.0.1:\(forward.host)",
                of: domain,
                on: connection
            )
        }
        var answers: [PortForward: String] = [:]
        for forward in wanted where !present.contains(forward) {
            let rule = "\(forward.transport.rawValue):127.0.0.1:\(forward.host)-:\(forward.guest)"
            answers[forward] = await ask("hostfwd_add \(DomainDocument.netdev) \(rule)", of: domain, on: connection)
        }
        let now = try await forwards(of: domain, on: connection)
        if let missing = wanted.first(where: { !now.contains($0) }) { throw refused(missing, answers[missing] ?? "") }
        if let kept = now.first(where: { !wanted.contains($0) }) { throw stillThere(kept) }
    }

    /// Plugs the cable in, or out.
    ///
    /// - Throws: `KilnError` with code `machine.link-unchanged`; `LibvirtError`.
    static func setLink(isUp: Bool, of domain: String, on connection: LibvirtConnection) async throws {
        let command = "set_link \(DomainDocument.networkAlias) \(isUp ? "on" : "off")"
        // The human monitor says nothing where it did what it was told.
        let answer = try await connection.monitorCommand(command, of: domain, style: .human)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        guard !answer.isEmpty else { return }
        throw KilnError(
            .machineLinkUnchanged,
            "QEMU did not \(isUp ? "plug in" : "unplug") the network of \(domain)",
            cause: Printable.text(answer.utf8)
        )
    }

    @discardableResult
    private static func ask(_ command: String, of domain: String, on connection: LibvirtConnection) async -> String {
        do {
            return Printable.text(try await connection.monitorCommand(command, of: domain, style: .human).utf8)
        } catch {
            return Printable.text(error.message.utf8)
        }
    }

    private static func stillThere(_ forward: PortForward) -> KilnError {
        KilnError(
            .machineForwardFailed,
            "QEMU still forwards port \(forward.host) of 127.0.0.1 to port \(forward.guest) of the guest, which it was told to "
                + "end",
            hint: "see what the machine does with 'kiln logs --source qemu', or stop and start it"
        )
    }

    private static func refused(_ forward: PortForward, _ answer: String) -> KilnError {
        guard LoopbackPorts().isFree(forward.host, forward.transport) else {
            return LoopbackPorts.taken(forward.host, forward.transport, cause: answer)
        }
        return KilnError(
            .machineForwardFailed,
            "QEMU refused to forward port \(forward.host) of 127.0.0.1 to port \(forward.guest) of the guest",
            cause: answer
        )
    }

    /// Reads the table of `info usernet`.
    ///
    /// A line of it: `TCP[HOST_FORWARD]  12  127.0.0.1 20000  10.0.2.15 80`, or `UDP` for datagrams.
    static func read(_ table: String) -> [PortForward] {
        table.split(whereSeparator: \.isNewline).compactMap { line in
            let fields = line.split(whereSeparator: \.isWhitespace)
            guard fields.count >= 6, fields[0].hasSuffix("[HOST_FORWARD]"), fields[2] == "127.0.0.1",
                let transport = Transport(rawValue: fields[0].prefix(3).lowercased()), let host = UInt16(fields[3]),
                let guest = UInt16(fields[5])
            else { return nil }
            return PortForward(host: host, guest: guest, transport: transport)
        }
    }
}
