import Foundation
import KilnEngine
import KilnModel

/// Keeps a ledger being written on a server, over replacements, stops and starts, until its verdict is wanted.
///
/// In each generation that serves, the writer is started in the guest, and what it acknowledges is read from the virtio
/// port and noted durably. The end of a machine ends its connection; then the next machine is waited for.
actor LedgerSession {
    private let engine: LabEngine
    private let server: ServerID
    private let path: String
    private var acknowledgements: AcknowledgementList
    private var following: Task<Void, Never>?
    private var failure: (any Error)?
    private let patience = Duration.seconds(180)

    init(engine: LabEngine, server: ServerID, path: String, list: String) throws {
        self.engine = engine
        self.server = server
        self.path = path
        acknowledgements = try AcknowledgementList(at: list)
    }

    /// Starts the writer and waits for its first acknowledgement.
    func start() async throws {
        following = Task { await follow() }
        try await awaitRecords(1)
    }

    /// Waits until so many records are acknowledged.
    func awaitRecords(_ wanted: Int) async throws {
        let deadline = ContinuousClock.now + patience
        while acknowledgements.count < wanted {
            if let failure { throw failure }
            guard ContinuousClock.now < deadline else {
                throw Unmet(
                    "\(server): at least \(wanted) acknowledged records expected within \(patience.components.seconds) s, "
                        + "\(acknowledgements.count) found"
                )
            }
            // The list is fed by another task of this process; its count is cheap to look at.
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Stops the writer.
    func stop() async {
        _ = try? await engine.run(GuestCommand(LedgerWriter.stopCommand()), on: server)
        following?.cancel()
        await following?.value
        following = nil
    }

    /// Stops the writer and compares what was acknowledged with what the volume holds.
    func verdict() async throws -> LedgerVerdict {
        await stop()
        let content = try await engine.read(path, on: server) ?? []
        return LedgerCheck.verdict(
            acknowledged: try AcknowledgementList.read(acknowledgements.path),
            volumeContents: [content]
        )
    }

    private func follow() async {
        while !Task.isCancelled {
            do {
                if let machine = try servingMachine() { try await follow(machine) }
            } catch { failure = error }
            // The next machine may be made by another process, of whose journal no event tells.
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    // Only a committed generation is sure to have its volume mounted.
    private func servingMachine() throws -> MachineID? {
        let history = try engine.history(server)
        guard history.open == nil, let current = history.current else { return nil }
        return server.machine(current)
    }

    private func follow(_ machine: MachineID) async throws {
        guard let chunks = SocketStream.connect(to: engine.ledgerSocket(machine)) else { return }
        try await startWriter()
        failure = nil
        var parser = AcknowledgementParser()
        for await chunk in chunks {
            try acknowledgements.append(parser.take(chunk))
        }
    }

    private func startWriter() async throws {
        // The agent waits for what it runs, so the writer leaves its session.
        let detached = ["/bin/sh", "-c", "setsid \"$@\" </dev/null >/dev/null 2>&1 &", "kiln-ledger-start"]
        let result = try await engine.run(GuestCommand(detached + LedgerWriter.command(path: path)), on: server)
        guard result.status == 0 else {
            let said = Name.quoted(String(decoding: result.errors.prefix(300), as: UTF8.self))
            throw Unmet("\(server): the ledger's writer did not start: \(said)")
        }
    }
}
