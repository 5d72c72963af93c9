import KilnEngine
import KilnModel
import KilnSystem

/// As whom Kiln gets into which guest by SSH.
///
/// A login that somebody waits for goes on when he gives up: on a slow machine it would else never come to its end, and the
/// connection is kept for those who come after.
actor SSHLogins {
    private var known: [MachineID: SSHConnection] = [:]
    private var trying: [MachineID: (route: GuestRoute, task: Task<SSHConnection, any Error>)] = [:]

    /// How long a login as one user may take.
    private static let patience = Duration.seconds(60)
    /// How long all of them are waited for.
    private static let longest = Duration.seconds(120)

    /// A connection as root, or as who may become root without a password.
    ///
    /// - Throws: `guest.ssh-silent`, `guest.ssh-refused`, `guest.host-key-differs`, `tool.missing`.
    func connection(to machine: MachineID, by route: GuestRoute) async throws -> SSHConnection {
        if let found = known[machine], found.route == route { return found }
        let task: Task<SSHConnection, any Error>
        if let present = trying[machine], present.route == route {
            task = present.task
        } else {
            task = Task {
                // Itself, since nobody may be waiting any more: an old refusal is no answer to who comes later.
                defer { if trying[machine]?.route == route { trying[machine] = nil } }
                let connection = try await Self.login(to: machine, by: route)
                known[machine] = connection
                return connection
            }
            trying[machine] = (route, task)
        }
        do {
            return try await withPatience(Self.longest, operation: "log in") { try await task.value }
        } catch is DeadlineExceeded {
            throw SSHFailure.silent(machine)
        }
    }

    /// Forgets a login that led nowhere.
    func forget(_ machine: MachineID) { known[machine] = nil }

    private static func login(to machine: MachineID, by route: GuestRoute) async throws -> SSHConnection {
        var said: [UInt8] = []
        for user in route.users {
            let connection = SSHConnection(route: route, user: user)
            try connection.writeKnownHosts()
            let remote = RemoteCommand(["true"], isRoot: connection.isRoot)
            do {
                let output = try await connection.command(remote.line, deadline: patience).result()
                if case .ended(0, _)? = remote.end(output.errors) { return connection }
                said = output.errors.isEmpty ? said : output.errors
            } catch let error as KilnError where error.code == .toolDeadline {
                throw SSHFailure.silent(machine)
            }
            // What no user gets around; looked at once, for servers count connections that come to nothing.
            guard user == route.users.first else { continue }
            let key = try await connection.hasExpectedKey()
            if key != true { throw SSHFailure.lost(machine, hasExpectedKey: key, said) }
        }
        throw SSHFailure.refused(machine, said)
    }
}
