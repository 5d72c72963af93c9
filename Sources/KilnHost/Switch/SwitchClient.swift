import Foundation
import Glibc
import KilnModel
import KilnSystem

/// Asks a switch.
struct SwitchClient {
    let place: SwitchPlace
    /// The user who runs it; what anybody else answers is not looked at.
    let owner: UInt32

    /// Asks, and waits for the answer.
    ///
    /// - Returns: nothing where no switch listens, or it was just ended.
    /// - Throws: `network.switch-failed` where it refuses or does not answer, `network.switch-impostor`.
    func ask(_ request: SwitchRequest, within limit: Duration) throws -> SwitchAnswer? {
        guard let connection = try connected() else { return nil }
        defer { close(connection) }
        let text = try JSONEncoder().encode(request)
        guard text.count <= SwitchRequest.longest else { throw failed("the request has \(text.count) bytes") }
        let sent = text.withUnsafeBytes {
            Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard sent == text.count, let packet = try receive(connection, within: limit) else { return nil }
        guard let answer = try? JSONDecoder().decode(SwitchAnswer.self, from: packet) else {
            throw failed("its answer can't be read")
        }
        if let refusal = answer.refusal {
            let cause = Printable.text(refusal.utf8)
            throw failed(cause, hint: "nothing was changed; \(place.table) is what it was told before")
        }
        return answer
    }

    /// Whether a switch listens.
    func isListening() throws -> Bool {
        guard let connection = try connected() else { return false }
        close(connection)
        return true
    }

    private func connected() throws -> Int32? {
        let connection: Int32
        do {
            connection = try UnixSocket.connect(to: place.socket, .packets, within: 10)
        } catch {
            switch error.code {
            case .EAGAIN: throw failed("so many ask it that it takes no more", exit: .deadline)
            case .ENOENT, .ECONNREFUSED, .ENOTDIR: return nil
            default: throw failed("\(place.socket): \(error.localizedDescription)")
            }
        }
        // struct ucred: pid, uid, gid.
        var peer: (pid_t, uid_t, gid_t) = (0, 0, 0)
        var size = socklen_t(MemoryLayout.size(ofValue: peer))
        guard getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0, peer.1 == owner else {
            close(connection)
            throw KilnError(
                .networkSwitchImpostor,
                "process \(peer.0) listens at \(place.socket) as user id \(peer.1), expected \(owner)",
                hint: "end that process, or set KILN_HOME to a place that nobody else can write to",
                exit: .blocked
            )
        }
        return connection
    }

    private func receive(_ connection: Int32, within limit: Duration) throws -> Data? {
        let end = ContinuousClock.now + limit
        while true {
            var waiting = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, Int32(clamping: max(0, Int((end - .now) / .milliseconds(1)))))
            if ready < 0 && errno == EINTR { continue }
            guard ready > 0 else { throw failed("it does not answer within \(limit)", exit: .deadline) }
            var packet = [UInt8](repeating: 0, count: 1 << 20)
            let count = recv(connection, &packet, packet.count, 0)
            return count > 0 ? Data(packet.prefix(count)) : nil
        }
    }

    func failed(_ cause: String, hint: String? = nil, exit: ExitCode = .aborted) -> KilnError {
        KilnError(
            .networkSwitchFailed,
            "the switch at \(place.socket) does not do what it is told",
            hint: hint ?? "end it and run the command again: 'fuser -k \(place.socket)' does no machine any harm",
            cause: cause,
            exit: exit
        )
    }
}
