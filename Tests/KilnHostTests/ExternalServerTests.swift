import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("External services as processes of this host", .serialized, .timeLimit(.minutes(5)))
struct ExternalServerTests {
    /// Whether this host has what a server takes.
    static var isPossible: Bool {
        let host = try? ExternalID(lab: Name("lab"), name: Name("db"))
        let programs = host.flatMap { try? PostgresPrograms.find(nil, for: $0) }
        return programs != nil && ProgramPath.find("psql") != nil && (try? MachineOwner.current()) != nil
    }

    private struct World {
        let home: DaemonTestHome
        let state: StateDirectory
        let owner: MachineOwner
        let id: ExternalID

        init(length: Int = 0) throws {
            home = try DaemonTestHome(length: length)
            owner = try MachineOwner.current()
            state = try KilnHome(path: home.path + "/home", owner: owner).prepared()
            id = ExternalID(lab: try Name("lab"), name: try Name("db"))
        }

        var folder: ExternalFolder { ExternalFolder(id, state) }

        /// Those of a command, which knows of others only what is on the disk.
        func externals(_ patience: LocalExternals.Patience = .init()) -> LocalExternals {
            LocalExternals(state: state, owner: owner, patience: patience)
        }

        func start() async throws -> ExternalAccess {
            let spec = ExternalSpec.postgres(PostgresSpec(database: "shop-1", user: "app"))
            return try await externals().start(id, spec, besides: [])
        }

        /// Removes what the test itself made.
        func remove(isLong: Bool = false) {
            HomeAlias(home: home.path + "/home").remove()
            let root = isLong ? DurableFile.directory(of: home.path) : home.path
            try? FileManager.default.removeItem(atPath: root)
        }

        var isGone: Bool { !FileManager.default.fileExists(atPath: state.externals(id.lab)) }
    }

    private func withServer(
        length: Int = 0,
        _ body: (World, ExternalAccess) async throws -> Void
    ) async throws {
        let world = try World(length: length)
        defer { world.remove(isLong: length > 0) }
        do {
            try await body(world, try await world.start())
        } catch {
            try? await world.externals().end(of: world.id.lab)
            throw error
        }
        try await world.externals().end(of: world.id.lab)
        #expect(world.isGone)
    }

    private func psql(_ statement: String, _ access: ExternalAccess, host: String = "127.0.0.1") async throws
        -> Command.Output
    {
        var command = Command(
            "psql",
            [
                "--no-psqlrc", "-At", "-h", host, "-p", "\(access.port)", "-U", access.user, "-d", access.database,
                "-c", statement,
            ]
        )
        command.surroundings = .only(["PGPASSWORD": access.password, "PGCONNECT_TIMEOUT": "10"])
        return try await command.result()
    }

    @Test(
        "a server takes its user with the password, at a port of 127.0.0.1 and at its socket, and nobody else",
        .enabled(if: ExternalServerTests.isPossible)
    )
    func serves() async throws {
        try await withServer { world, access in
            let made = try await psql("CREATE TABLE t (n int); INSERT INTO t VALUES (7) RETURNING n", access)
            #expect(made.text.contains("7"), "\(made)")
            #expect(try await psql("SELECT current_user", access, host: world.folder.shortSockets()).text == "app")
            let others = [
                ExternalAccess(port: access.port, user: "app", password: "wrong", database: access.database),
                ExternalAccess(port: access.port, user: "kiln", password: access.password, database: "postgres"),
                ExternalAccess(port: access.port, user: "app", password: access.password, database: "postgres"),
            ]
            for other in others { #expect(try await psql("SELECT 1", other).status != 0, "\(other.user)") }
            var status = stat()
            #expect(stat(world.folder.sockets, &status) == 0 && status.st_mode & 0o777 == 0o700)
            #expect(status.st_uid == world.owner.uid && status.st_uid != 0)
            let process = try #require(world.folder.process(of: world.owner))
            #expect(process.isAlive && stat("/proc/\(process.pid)", &status) == 0 && status.st_uid == world.owner.uid)
            let secret = access.password
            let files = ["log", "pg_hba.conf", "server.json"].map { world.folder.path + "/" + $0 }
            for file in files {
                #expect(!(try String(contentsOfFile: file, encoding: .utf8)).contains(secret), "\(file)")
            }
        }
    }

    @Test(
        "a home of a long path has a socket too, by a short name",
        .enabled(if: ExternalServerTests.isPossible)
    )
    func longPath() async throws {
        try await withServer(length: 120) { world, access in
            let folder = try world.folder.shortSockets()
            #expect(folder != world.folder.sockets)
            #expect(try await psql("SELECT 5", access, host: folder).text == "5")
        }
    }

    @Test(
        "what a killed command left is ended by the next one, also where its process was not noted yet",
        .enabled(if: ExternalServerTests.isPossible),
        arguments: [true, false]
    )
    func leftOver(isNoted: Bool) async throws {
        let world = try World()
        defer { world.remove() }
        _ = try await world.start()
        let process = try #require(world.folder.process(of: world.owner))
        if !isNoted { try DurableFile.remove(world.folder.path + "/server.json") }
        #expect(world.folder.process(of: world.owner) == process)
        try await world.externals().end(of: world.id.lab)
        #expect(!process.isAlive && world.isGone)
        // Where there is nothing, nothing happens.
        try await world.externals().end(of: world.id.lab)
    }

    @Test("one that does not end is killed, and leaves no shared memory", .enabled(if: ExternalServerTests.isPossible))
    func stuck() async throws {
        let world = try World()
        defer { world.remove() }
        _ = try await world.start()
        let process = try #require(world.folder.process(of: world.owner))
        let memory = try #require(world.folder.sharedMemory)
        #expect(kill(process.pid, SIGSTOP) == 0)
        var patience = LocalExternals.Patience()
        patience.end = .milliseconds(100)
        patience.abort = .seconds(3)
        // The second signal is not heard either.
        let start = ContinuousClock.now
        try await world.externals(patience).end(of: world.id.lab)
        #expect(!process.isAlive && world.isGone && .now - start < .seconds(60))
        var status = shmid_ds()
        #expect(shmctl(memory, IPC_STAT, &status) != 0)
    }

    @Test(
        "of whatever length names are, a socket has an address",
        .enabled(if: (try? MachineOwner.current()) != nil)
    )
    func longNames() throws {
        let world = try World(length: 120)
        defer { world.remove(isLong: true) }
        let long = try Name("a" + String(repeating: "b", count: Name.longest - 1))
        let folder = try ExternalFolder(ExternalID(lab: long, name: long), world.state).shortSockets()
        #expect("\(folder)/.s.PGSQL.65535".utf8.count <= UnixSocket.longestPath)
    }

    @Test("two servers at once have a port each")
    func two() throws {
        let (first, ports) = (try LoopbackPorts().choose(besides: []), LoopbackPorts())
        #expect(try ports.choose(besides: Set(ports.choice).subtracting([first])) == first)
        let none = #expect(throws: KilnError.self) { try ports.choose(besides: Set(ports.choice)) }
        #expect(none?.code == .portNoneFree)
    }

    @Test("a host without PostgreSQL, or without that version, is told which package has it")
    func missing() throws {
        let (root, id) = (try TestDirectory(), ExternalID(lab: try Name("lab"), name: try Name("db")))
        let error = #expect(throws: KilnError.self) { try PostgresPrograms.find(17, for: id, root: root.path) }
        #expect(error?.code == .externalMissing && error?.exit == .unreachable)
        #expect(error?.message.contains("'db' needs PostgreSQL 17") == true, "\(error?.message ?? "")")
        #expect(error?.hint == "as root: apt-get install postgresql-17")
        for version in ["15", "9", "junk", "16"] {
            let folder = "\(root.path)/\(version)/bin"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            // Of 16 there is only a client.
            for program in version == "16" ? ["psql"] : ["initdb", "postgres", "pg_isready"] {
                try Data("#!/bin/sh\n".utf8).write(to: URL(filePath: "\(folder)/\(program)"))
                chmod("\(folder)/\(program)", 0o755)
            }
        }
        #expect(try PostgresPrograms.find(nil, for: id, root: root.path).version == 15)
        #expect(Doctor.postgres(in: root.path).detail == "PostgreSQL 15")
        let none = Doctor.postgres(in: root.path + "/none")
        #expect(none.level == .warn && none.remedy == "apt install postgresql")
        let other = #expect(throws: KilnError.self) { try PostgresPrograms.find(16, for: id, root: root.path) }
        #expect(other?.message.hasSuffix("found 15") == true, "\(other?.message ?? "")")
    }

    @Test(
        "a process that has got the number of one that was noted is nobody's to end",
        .enabled(if: (try? MachineOwner.current()) != nil)
    )
    func number() async throws {
        let world = try World()
        defer { world.remove() }
        try world.folder.make(for: world.owner)
        let (pid, error) = ChildProcess.spawn(["/bin/sleep", "300"], environment: [], descriptors: [nil, nil, nil])
        #expect(error == 0)
        defer {
            kill(pid, SIGKILL)
            ChildProcess.wait(for: pid)
        }
        let real = try #require(ProcessIdentity(pid))
        #expect(real.isAlive && ProcessIdentity(getpid()) != real)
        let noted = #"{"pid":\#(pid),"start":\#(real.start + 1),"epoch":"\#(real.epoch)"}"#
        try Data(noted.utf8).write(to: URL(filePath: world.folder.path + "/server.json"))
        let lock = open(world.folder.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(lock) }
        #expect(KernelLock.take(lock))
        var patience = LocalExternals.Patience()
        (patience.end, patience.abort) = (.milliseconds(30), .milliseconds(30))
        let late = await #expect(throws: KilnError.self) { try await world.externals(patience).end(of: world.id.lab) }
        #expect(late?.code == .externalDeadline && real.isAlive)
        KernelLock.release(lock)
        try await world.externals(patience).end(of: world.id.lab)
        #expect(real.isAlive && world.isGone)
    }
}
