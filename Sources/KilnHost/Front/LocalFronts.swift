import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// The fronts of servers, as HAProxys of this host: one for each server, so that no change of one reaches the clients of another;
/// on 127.0.0.1, without a privilege.
public struct LocalFronts: FrontControl {
    let state: StateDirectory
    let owner: MachineOwner
    let executable: String
    let patience: Duration

    /// The fronts of a state directory.
    ///
    /// - Parameters:
    ///   - owner: who runs machines, and fronts.
    ///   - executable: the path of the `kiln` program, which runs itself to keep a front.
    ///   - patience: how long a front may take for anything.
    public init(state: StateDirectory, owner: MachineOwner, executable: String, patience: Duration = .seconds(10)) {
        self.state = state
        self.owner = owner
        self.executable = executable
        self.patience = patience
    }

    /// Throws `front.no-program` where there is no HAProxy.
    public func requireProgram() throws { _ = try program() }

    private func program() throws -> String {
        if let path = ProgramPath.find(HAProxy.name) { return path }
        throw KilnError(
            .frontNoProgram,
            "requests are held by \(HAProxy.name), which is not installed here",
            hint:
                "'apt install \(HAProxy.name)', or take 'hold' out of the lab file: then requests fail while no machine serves",
            exit: .aborted
        )
    }

    /// Makes the front of a server do what the plan says, and sees that it does.
    public func apply(_ plan: FrontPlan, to server: ServerID) async throws {
        try await BlockingWork.run {
            let front = front(of: server)
            let configuration = FrontConfiguration(plan: plan, place: front.place)
            // Also what is changed at run time: one that is killed then comes back with it.
            try write(FrontScript.text, to: front.place.script)
            try write(configuration.text, to: front.place.configuration)
            try run(configuration, Keeper(lock: state.frontLock(server)), until: .now + patience)
            try converge(front, plan)
        }
    }

    /// What its slots have to do; nothing where it does not run.
    public func traffic(of server: ServerID) async throws -> [FrontTraffic]? {
        try await BlockingWork.run {
            try front(of: server).servers()?.sorted { $0.key < $1.key }.compactMap { name, server in
                let words = name.split(separator: "/").map(String.init)
                guard words.count == 2, let ordinal = Int(words[1].dropFirst()) else { return nil }
                return FrontTraffic(
                    port: try Name(words[0]),
                    ordinal: ordinal,
                    connections: server.connections,
                    total: server.total
                )
            }
        }
    }

    /// What all of it has to do together, and when that was so; nothing where it does not run.
    public func load(of server: ServerID) async throws -> (load: FrontLoad, time: ContinuousClock.Instant)? {
        try await BlockingWork.run { try front(of: server).load().map { ($0, .now) } }
    }

    /// Waits until the HAProxys of before have ended what they had begun.
    public func awaitPredecessors(of server: ServerID, within limit: Duration) async throws {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            let isAlone = try await BlockingWork.run {
                let front = front(of: server)
                let present = try front.about()?.process
                return programs(front.place).allSatisfy { $0 == present }
            }
            if isAlone { return }
            // Their keeper hears of their end, nobody else.
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Lets no request through for so long, whoever serves.
    public func pause(_ server: ServerID, for time: Duration) async throws {
        try await BlockingWork.run {
            let front = front(of: server)
            let said = try front.ask("kiln pause \(Int(time / .milliseconds(1)))")
            guard said?.hasPrefix(FrontScript.paused) != true else { return }
            throw front.failed(said == nil ? "it does not run" : "it was started by a Kiln that knew of no pause")
        }
    }

    /// Ends the connections that a member still has.
    public func cut(_ ordinal: Int, of server: ServerID) async throws {
        try await BlockingWork.run {
            let front = front(of: server)
            for name in try front.servers()?.keys.sorted() ?? [] where name.hasSuffix("/m\(ordinal)") {
                _ = try front.ask("shutdown sessions server \(name)")
            }
        }
    }

    /// Ends the front, and removes what it is reached by.
    public func end(_ server: ServerID) async throws {
        try await BlockingWork.run {
            try end(front(of: server), until: .now + patience)
            guard try Keeper(lock: state.frontLock(server)).awaitEnd(until: .now + patience) else {
                throw front(of: server).failed("its keeper goes on", exit: .deadline)
            }
            try DurableFile.remove(state.frontLock(server))
        }
    }

    /// Ends the fronts of all other servers, or only tells.
    public func endAbandoned(
        dryRun: Bool,
        besides servers: @escaping @Sendable () throws -> Set<ServerID>
    ) async throws -> [String] {
        try await BlockingWork.run {
            let found = ((try? FileManager.default.contentsOfDirectory(atPath: state.sockets)) ?? []).sorted()
                .filter { $0.contains(FrontPlace.suffix) }.map { "\(state.sockets)/\($0)" }
            let kept = try servers().map(state.frontBase)
            let present = found.filter { path in !kept.contains { path.hasPrefix($0 + FrontPlace.suffix) } }
            guard !dryRun else { return present }
            let bases = present.compactMap {
                ($0 as NSString).lastPathComponent.split(separator: ".").first.map(String.init)
            }
            let ends = Set(bases.map { "\(state.sockets)/\($0)" }).sorted().map { base in
                Result {
                    try end(FrontSocket(place: FrontPlace(base: base), patience: patience), until: .now + patience)
                }
            }
            // One that can't be ended keeps no other from being.
            for end in ends { try end.get() }
            return present
        }
    }

    private func front(of server: ServerID) -> FrontSocket {
        FrontSocket(place: FrontPlace(base: state.frontBase(server)), patience: patience)
    }

    private func write(_ text: String, to path: String) throws {
        if FileManager.default.contents(atPath: path) == Data(text.utf8) { return }
        // Read by the user who runs machines; the folder is closed to all others.
        try DurableFile.write(Data(text.utf8), to: path, mode: 0o644)
    }
}

// MARK: - Processes

extension LocalFronts {
    // Until HAProxy says that it has begun with what the configuration says, but for what can be changed at run time, and somebody
    // keeps it.
    private func run(
        _ configuration: FrontConfiguration,
        _ keeper: Keeper,
        until end: ContinuousClock.Instant
    ) throws {
        let front = FrontSocket(place: configuration.place, patience: patience)
        if try front.about()?.ground != configuration.ground { try DurableFile.remove(front.place.attempt) }
        var isAsked = false
        while true {
            if let lock = try keeper.take() {
                defer { close(lock) }
                try begin(keeper, holding: lock, configuration, until: end)
                isAsked = true
            }
            if try front.about()?.ground == configuration.ground { break }
            if !isAsked, let process = keeperProcess(front.place) {
                // HAProxy lets the ports of the one before go for as long as it tries.
                if let port = try takenPort(configuration) { throw LoopbackPorts.taken(port, cause: "it is in use") }
                isAsked = kill(process, SIGHUP) == 0
            } else if isAsked, let attempt = front.attempt, attempt.status != 0 {
                throw refused(configuration, Printable.text(attempt.said.utf8))
            }
            guard ContinuousClock.now < end else { throw front.failed("it does not start", exit: .deadline) }
            poll(nil, 0, 10)
        }
    }

    private func begin(
        _ keeper: Keeper,
        holding lock: Int32,
        _ configuration: FrontConfiguration,
        until end: ContinuousClock.Instant
    ) throws {
        let user = owner.uid == geteuid() ? nil : owner.name
        let arguments = FrontProcess.arguments(
            configuration.place,
            program: try program(),
            executable: executable,
            user: user
        )
        let report: DaemonReport
        do {
            report = try keeper.launch(arguments, holding: lock, until: end)
        } catch let error as POSIXError {
            let cause = "\(executable) can't be run: \(error.localizedDescription)"
            throw FrontProcess.failure(cause, of: configuration.place)
        } catch let silence as Keeper.Silence {
            throw FrontProcess.failure("its keeper \(silence.words)", of: configuration.place)
        }
        guard case .failed(let error) = report else { return }
        throw refused(configuration, error.cause ?? error.message)
    }

    // Whatever it says: a port that somebody else has is named.
    private func refused(_ configuration: FrontConfiguration, _ said: String) -> KilnError {
        guard let port = (try? takenPort(configuration)) ?? nil else {
            return FrontProcess.failure(said, of: configuration.place)
        }
        return LoopbackPorts.taken(port, cause: said)
    }

    // A port that somebody else has. What the front has already is not what it would be refused.
    private func takenPort(_ configuration: FrontConfiguration) throws -> UInt16? {
        let own = try FrontSocket(place: configuration.place, patience: patience).about()?.process
        return configuration.plan.ports.map(\.host).first { port in
            guard !LoopbackPorts().isFree(port, .tcp) else { return false }
            return own == nil || TCPTable.listener(onPort: port)?.pid != own
        }
    }

    // By what it was started as; anybody can start something so, but not as the user who runs machines.
    private func keeperProcess(_ place: FrontPlace) -> Int32? {
        HostProcesses.all().first { pid in
            let arguments = HostProcesses.arguments(of: pid)
            return arguments.count > 2 && arguments[1] == FrontProcess.argument && arguments[2] == place.base
                && isOwners(pid)
        }
    }

    private func isOwners(_ process: Int32) -> Bool {
        var status = stat()
        return stat("/proc/\(process)", &status) == 0 && status.st_uid == owner.uid
    }

    // In this order: without its configuration a keeper that is just starting HAProxy again ends by itself. What hangs is ended
    // without being asked after half of the time.
    private func end(_ front: FrontSocket, until end: ContinuousClock.Instant) throws {
        let half = end - patience / 2
        try DurableFile.remove(front.place.configuration)
        func finish(_ what: String, _ processes: () -> [Int32]) throws {
            processes().forEach { kill($0, SIGTERM) }
            while true {
                let left = processes()
                if left.isEmpty { return }
                guard ContinuousClock.now < end else { throw front.failed("\(what) goes on", exit: .deadline) }
                if ContinuousClock.now > half { left.forEach { kill($0, SIGKILL) } }
                poll(nil, 0, 10)
            }
        }
        try finish("its keeper") { keeperProcess(front.place).map { [$0] } ?? [] }
        // Those whose keeper was killed.
        try finish("it") { programs(front.place) }
        for path in front.place.present { try DurableFile.remove(path) }
    }

    // The HAProxys of a front, those included that only end what they have begun.
    private func programs(_ place: FrontPlace) -> [Int32] {
        HostProcesses.all().filter { pid in
            HostProcesses.arguments(of: pid).dropFirst().starts(with: ["-D", "-f", place.configuration])
                && isOwners(pid)
        }
    }
}

// MARK: - Slots

extension LocalFronts {
    // Told until it says that it is so; what it answers to a command is not looked at.
    private func converge(_ front: FrontSocket, _ plan: FrontPlan) throws {
        let end = ContinuousClock.now + patience
        while true {
            guard let servers = try front.servers() else { throw front.failed("it ended while it was told") }
            let missing = plan.ports.flatMap { port in
                plan.slots.flatMap { commands($0, port, servers["\(port.name)/\(FrontConfiguration.slot($0))"]) }
            }
            guard !missing.isEmpty else { return }
            guard ContinuousClock.now < end else {
                throw front.failed("it does not follow '\(missing.joined(separator: "; "))'", exit: .deadline)
            }
            for command in missing { _ = try front.ask(command) }
            // What it says at once is usually so; what is not needs time.
            poll(nil, 0, 1)
        }
    }

    // One that goes to another port is out meanwhile, so that nothing is sent to the wrong one.
    private func commands(
        _ slot: FrontPlan.Slot,
        _ port: FrontPlan.Port,
        _ known: FrontSocket.Server?
    ) -> [String] {
        let name = "\(port.name)/\(FrontConfiguration.slot(slot))"
        let target = slot.ports[port.name]
        let standing = target == nil ? FrontPlan.Standing.out : slot.standing
        var commands: [String] = []
        if let target, known?.port != target {
            if known?.standing != .out { commands.append("set server \(name) state maint") }
            commands.append("set server \(name) addr 127.0.0.1 port \(target)")
            if standing != .out { commands.append("set server \(name) state \(word(standing))") }
        } else if known?.standing != standing {
            commands.append("set server \(name) state \(word(standing))")
        }
        return commands
    }

    private func word(_ standing: FrontPlan.Standing) -> String {
        switch standing {
        case .serving: "ready"
        case .draining: "drain"
        case .out: "maint"
        }
    }
}
