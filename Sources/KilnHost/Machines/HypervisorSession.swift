import KilnModel
import KilnSystem
import LibvirtKit

/// The connection to the hypervisor: opened at the first use, settled, and opened again after it was lost.
public actor HypervisorSession {
    private let locate: @Sendable () async throws -> String
    private var opening: Task<LibvirtConnection, any Error>?

    /// How long a driver that has just started may take to reconnect to the machines that run.
    private static let settling = Duration.seconds(20)

    /// A session.
    ///
    /// - Parameter locate: gives the URI to open; called before every opening, so it can start a daemon.
    public init(locate: @escaping @Sendable () async throws -> String) {
        self.locate = locate
    }

    /// The open connection.
    ///
    /// - Throws: `KilnError` with exit `.unreachable`, and what `locate` throws.
    public func connection() async throws -> LibvirtConnection {
        if let opening {
            if let open = try? await opening.value, await !open.isLost { return open }
            // Another task may have started to open while this one was suspended.
            if self.opening == opening { self.opening = nil }
        }
        let task = opening ?? Task { try await open() }
        opening = task
        return try await task.value
    }

    /// Closes the connection, if there is one; the next use opens another.
    public func close() async {
        guard let closing = opening else { return }
        opening = nil
        guard let connection = try? await closing.value else { return }
        // All that can fail is libvirt's count of references, which is of no use to anybody here.
        try? await connection.close()
    }

    /// Does something with the connection, errors translated.
    ///
    /// - Parameters:
    ///   - subject: what it is about, for the message of an error.
    ///   - body: the calls.
    /// - Throws: `KilnError`, `CancellationError`; exit `.unreachable` where the connection was lost, so that nothing is
    ///   known of what became of the call.
    nonisolated func change<Result: Sendable>(
        _ subject: String,
        _ body: @Sendable (LibvirtConnection) async throws -> Result
    ) async throws -> Result {
        let connection = try await connection()
        do {
            return try await body(connection)
        } catch {
            let isLost = await connection.isLost
            throw HypervisorFailure.translated(error, subject: subject, isLost: isLost)
        }
    }

    /// Reads something; once more where that failed, on a new connection if the first was lost.
    ///
    /// - Throws: as ``change(_:_:)``; `hypervisor.unreadable`, exit `.unreachable`, where it can't be read.
    nonisolated func read<Result: Sendable>(
        _ subject: String,
        _ body: @Sendable (LibvirtConnection) async throws -> Result
    ) async throws -> Result {
        do {
            return try await change(subject, body)
        } catch let error as KilnError where [HypervisorFailure.lost, HypervisorFailure.failed].contains(error.code) {
            do {
                return try await change(subject, body)
            } catch let error as KilnError where error.code == HypervisorFailure.failed {
                throw HypervisorFailure.unreadable(error, subject: subject)
            }
        }
    }

    private func open() async throws -> LibvirtConnection {
        do {
            return try await attempt()
        } catch is LibvirtError {
            // A daemon that was just ending accepts a connection and drops it; its successor does not.
            do {
                return try await attempt()
            } catch {
                throw HypervisorFailure.translated(error, subject: "the hypervisor", isLost: true)
            }
        } catch {
            throw HypervisorFailure.translated(error, subject: "the hypervisor", isLost: true)
        }
    }

    private func attempt() async throws -> LibvirtConnection {
        let connection = try await LibvirtConnection.open(try await locate())
        do {
            try await connection.settle(within: HypervisorSession.settling)
        } catch let error as DeadlineExceeded {
            try? await connection.close()
            throw error
        }
        return connection
    }
}
