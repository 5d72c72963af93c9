import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// The switches of labs' networks, as processes of this host.
///
/// Nothing of them leaves the host, and none needs a privilege: frames are datagrams between unix sockets, in the folder of
/// machines' sockets.
public struct LocalNetworks: NetworkControl {
    let state: StateDirectory
    let owner: MachineOwner
    let executable: String
    let patience: Duration

    /// The switches of a state directory.
    ///
    /// - Parameters:
    ///   - owner: who runs machines, and switches.
    ///   - executable: the path of the `kiln` program, which runs itself as a switch.
    ///   - patience: how long a switch may take for anything.
    public init(state: StateDirectory, owner: MachineOwner, executable: String, patience: Duration = .seconds(10)) {
        self.state = state
        self.owner = owner
        self.executable = executable
        self.patience = patience
    }

    /// Makes changes; a switch that does not run is started first, but for changes that only unplug.
    public func change(_ network: NetworkID, _ changes: [SwitchTable.Change]) async throws {
        try await BlockingWork.run {
            let client = client(of: network)
            if try client.ask(.change(changes), within: patience) != nil { return }
            // One that is just being started again has its table, and would plug in what it has there.
            let isGone = access(client.place.table, F_OK) != 0
            guard !isGone || changes.isEmpty || !changes.allSatisfy(\.isUnplug) else { return }
            try start(network, until: .now + patience)
            guard try client.ask(.change(changes), within: patience) != nil else {
                throw client.failed("it ended while it was asked")
            }
        }
    }

    /// What the switch tells of itself; nothing where it does not run.
    public func status(_ network: NetworkID) async throws -> SwitchStatus? {
        try await BlockingWork.run { try client(of: network).ask(.status, within: patience)?.status }
    }

    /// Ends the switch, and removes what it is reached by.
    public func end(_ network: NetworkID) async throws {
        try await BlockingWork.run {
            let end = ContinuousClock.now + patience
            try self.end(client(of: network), until: end)
            try awaitLock(of: network, until: end)
            try DurableFile.remove(state.switchLock(network))
        }
    }

    /// Ends the switches of all other networks, or only tells.
    public func endAbandoned(
        dryRun: Bool,
        besides networks: @escaping @Sendable () throws -> Set<NetworkID>
    ) async throws -> [String] {
        try await BlockingWork.run {
            let found = ((try? FileManager.default.contentsOfDirectory(atPath: state.sockets)) ?? []).sorted()
                .map { "\(state.sockets)/\($0)" }
                .filter { $0.hasSuffix(SwitchPlace.socketSuffix) || $0.hasSuffix(SwitchPlace.tableSuffix) }
            let kept = Set(try networks().flatMap { [state.switchSocket($0), state.switchTable($0)] })
            let present = found.filter { !kept.contains($0) }
            guard !dryRun else { return present }
            for base in Set(present.map { ($0 as NSString).deletingPathExtension }) {
                let client = SwitchClient(place: SwitchPlace(base: base), owner: owner.uid)
                try end(client, until: .now + patience)
            }
            return present
        }
    }

    private func client(of network: NetworkID) -> SwitchClient {
        let base = String(state.switchSocket(network).dropLast(SwitchPlace.socketSuffix.count))
        return SwitchClient(place: SwitchPlace(base: base), owner: owner.uid)
    }

    // In this order: without its table a switch that is just being started again ends by itself.
    private func end(_ client: SwitchClient, until end: ContinuousClock.Instant) throws {
        try DurableFile.remove(client.place.table)
        _ = try client.ask(.end, within: patience)
        while try client.isListening() {
            guard ContinuousClock.now < end else { throw client.failed("it goes on", exit: .deadline) }
            poll(nil, 0, 10)
        }
        try DurableFile.remove(client.place.table)
        try DurableFile.remove(client.place.socket)
    }
}

extension LocalNetworks {
    private func start(_ network: NetworkID, until end: ContinuousClock.Instant) throws {
        let client = client(of: network)
        var isLaunched = false
        while try !client.isListening() {
            // Who can't take the lock is beside another kiln that starts it, or a parent that is about to.
            if !isLaunched, let lock = try keeper(of: network).take() {
                defer { close(lock) }
                try launch(network, holding: lock, until: end)
                isLaunched = true
                continue
            }
            guard ContinuousClock.now < end else { throw client.failed("it does not start", exit: .deadline) }
            poll(nil, 0, 10)
        }
    }

    private func awaitLock(of network: NetworkID, until end: ContinuousClock.Instant) throws {
        guard try keeper(of: network).awaitEnd(until: end) else {
            throw client(of: network).failed("\(state.switchLock(network)) is still held", exit: .deadline)
        }
    }

    private func keeper(of network: NetworkID) -> Keeper { Keeper(lock: state.switchLock(network)) }

    private func launch(_ network: NetworkID, holding lock: Int32, until end: ContinuousClock.Instant) throws {
        let client = client(of: network)
        let user = owner.uid == geteuid() ? nil : owner.name
        let arguments = SwitchProcess.arguments(.begin, client.place, executable: executable, user: user)
        let report: DaemonReport
        do {
            report = try keeper(of: network).launch(arguments, holding: lock, until: end)
        } catch let error as POSIXError {
            throw client.failed("\(executable) can't be run: \(error.localizedDescription)")
        } catch let silence as Keeper.Silence {
            throw client.failed("it \(silence.words)")
        }
        guard case .failed(let error) = report else { return }
        throw KilnError(error.code, error.message, hint: error.hint, cause: error.cause, exit: .aborted)
    }
}

extension SwitchTable.Change {
    fileprivate var isUnplug: Bool {
        if case .unplug = self { true } else { false }
    }
}
