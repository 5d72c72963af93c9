import KilnEngine
import KilnModel

/// A program in the guest writes records to a file, and tells through a virtio port which the disk has.
///
/// In each generation that serves it is started anew. The end of a machine ends its connection; then the next machine is
/// waited for.
struct AgentPath: LedgerPath {
    let engine: LabEngine
    let server: MemberID
    let file: String
    /// The time between two records.
    var interval = Duration.zero

    func write(
        _ acknowledged: @escaping @Sendable ([Acknowledgement]) async throws -> Void,
        trouble: @escaping @Sendable (any Error) async -> Void
    ) async throws {
        guard let machine = try servingMachine(), let chunks = SocketStream.connect(to: engine.ledgerSocket(machine))
        else { return }
        try await startWriter()
        try await acknowledged([])
        var parser = AcknowledgementParser()
        for await chunk in chunks { try await acknowledged(parser.take(chunk)) }
    }

    func stop() async { _ = try? await engine.run(GuestCommand(LedgerWriter.stopCommand()), on: server) }

    func contents() async throws -> [UInt8] { try await engine.read(file, on: server) ?? [] }

    // Only a committed generation is sure to have its volume mounted.
    private func servingMachine() throws -> MachineID? {
        let history = try engine.history(server)
        guard history.open == nil, let current = history.current else { return nil }
        return server.machine(current)
    }

    private func startWriter() async throws {
        // The agent waits for what it runs, so the writer leaves its session.
        let detached = ["/bin/sh", "-c", "setsid \"$@\" </dev/null >/dev/null 2>&1 &", "kiln-ledger-start"]
        let command = detached + LedgerWriter.command(path: file, pause: pause)
        let result = try await engine.run(GuestCommand(command), on: server)
        guard result.status == 0 else {
            let said = Name.quoted(String(decoding: result.errors.prefix(300), as: UTF8.self))
            throw Unmet("\(server): the ledger's writer did not start: \(said)")
        }
    }

    private var pause: String {
        let milliseconds = Int(interval / .milliseconds(1))
        let digits = String(milliseconds % 1_000 + 1_000).dropFirst()
        return interval == .zero ? "" : "\(milliseconds / 1_000).\(digits)"
    }
}
