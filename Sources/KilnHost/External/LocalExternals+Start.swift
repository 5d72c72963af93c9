import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

extension LocalExternals {
    /// Makes a PostgreSQL server with one database and its owner, and starts it.
    func start(_ id: ExternalID, _ spec: PostgresSpec, besides taken: Set<UInt16>) async throws -> ExternalAccess {
        let programs = try PostgresPrograms.find(spec.version, for: id, root: programs)
        let folder = ExternalFolder(id, state)
        try await BlockingWork.run { try folder.make(for: owner) }
        let password = LocalExternals.password()
        try await make(folder, spec, programs, password)
        let port = try await serve(folder, programs, besides: taken)
        let access = ExternalAccess(port: port, user: spec.user, password: password, database: spec.database)
        try ExternalAccess.write(access, for: id, in: state)
        return access
    }

    // 190 bits of the kernel's randomness.
    private static func password() -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        var random = SystemRandomNumberGenerator()
        return String((0..<32).map { _ in letters[Int.random(in: letters.indices, using: &random)] })
    }

    /// The files of the server, with the role and its database in them.
    private func make(
        _ folder: ExternalFolder,
        _ spec: PostgresSpec,
        _ programs: PostgresPrograms,
        _ password: String
    ) async throws {
        // Nobody else, from nowhere else: not even the owner of the server.
        let rules = """
            local "\(spec.database)" "\(spec.user)" scram-sha-256
            host "\(spec.database)" "\(spec.user)" 127.0.0.1/32 scram-sha-256

            """
        try DurableFile.write(Data(rules.utf8), to: folder.rules)
        let files = command(
            programs.initdb,
            [
                "--pgdata=\(folder.data)", "--username=kiln", "--auth=reject", "--encoding=UTF8", "--locale=C",
                "--no-sync", "--no-instructions",
            ]
        )
        let made = try await files.result()
        guard made.status == 0 else { throw failed(folder, "its files can't be made", Printable.text(made.errors)) }
        // Through a file without a name: arguments are seen by everybody. Without a server, so without a login.
        let statements = """
            CREATE ROLE "\(spec.user)" LOGIN PASSWORD '\(password)'
            CREATE DATABASE "\(spec.database)" OWNER "\(spec.user)"

            """
        let input = try UnlinkedFile(Array(statements.utf8))
        let single = command(
            programs.postgres,
            ["--single", "-D", folder.data] + LocalExternals.settings([("exit_on_error", "on")]) + ["template1"]
        )
        let output = try await single.result(reading: input.descriptor, keeping: Command.keptBytes)
        // The file lives until here.
        _ = input.descriptor
        guard output.status == 0 else {
            throw failed(folder, "its database can't be made", Printable.text(output.errors))
        }
    }

    // What is said in statements is nobody's but the guests'; a password is kept as RFC 7677 has it.
    private static func settings(_ more: [(String, String)]) -> [String] {
        let usual = [("password_encryption", "scram-sha-256"), ("log_min_error_statement", "panic")]
        return (usual + more).flatMap { ["-c", "\($0.0)=\($0.1)"] }
    }
}

// MARK: - The process

extension LocalExternals {
    /// Starts the server on a port that is free; somebody else may take that meanwhile, so several are tried.
    private func serve(
        _ folder: ExternalFolder,
        _ programs: PostgresPrograms,
        besides taken: Set<UInt16>
    ) async throws -> UInt16 {
        var taken = taken
        for _ in 0..<5 {
            let port = try LoopbackPorts().choose(besides: taken)
            let process = try await BlockingWork.run { try launch(folder, programs, port) }
            if try await isServing(process, folder, programs, port) { return port }
            taken.insert(port)
        }
        throw failed(folder, "no port of 127.0.0.1 can be listened on", lastWords(folder))
    }

    private func launch(_ folder: ExternalFolder, _ programs: PostgresPrograms, _ port: UInt16) throws
        -> ProcessIdentity
    {
        let lock = try opened(folder.lock, O_RDWR | O_CREAT)
        defer { close(lock) }
        guard KernelLock.take(lock) else { throw failed(folder, "\(folder.lock) is held already", nil) }
        let log = try opened(folder.log, O_WRONLY | O_CREAT | O_APPEND)
        defer { close(log) }
        let (pid, error) = ChildProcess.spawn(
            try line(folder, programs, port),
            environment: ["PATH=\(ProgramPath.text)", "LC_ALL=C", "LANG=C", "TZ=UTC", "HOME=/nonexistent"],
            descriptors: [nil, nil, log, lock]
        )
        guard error == 0 else { throw failed(folder, "it can't be run", String(cString: strerror(error))) }
        let process = ProcessIdentity(pid)
        // Usually Kiln ends it first. One that ends by itself must not stay as a zombie.
        Thread.detachNewThread { ChildProcess.wait(for: pid) }
        guard let process else { throw failed(folder, "it ended at once", lastWords(folder)) }
        try folder.note(process)
        return process
    }

    // In a session of its own, so that a terminal's Ctrl-C is the runner's only, and without any privilege.
    private func line(_ folder: ExternalFolder, _ programs: PostgresPrograms, _ port: UInt16) throws -> [String] {
        var line = [try Command.path(of: "setsid"), try Command.path(of: "setpriv"), "--no-new-privs"]
        if let user { line += ["--reuid=\(user.uid)", "--regid=\(user.gid)", "--clear-groups"] }
        return line + ["--", try Command.path(of: "env"), "--chdir=/", programs.postgres, "-D", folder.data]
            + LocalExternals.settings([
                ("listen_addresses", "127.0.0.1"), ("port", "\(port)"),
                ("unix_socket_directories", try folder.shortSockets()), ("unix_socket_permissions", "0700"),
                ("hba_file", folder.rules),
                // In the run's folder, so that nothing stays in the host's memory.
                ("dynamic_shared_memory_type", "mmap"), ("logging_collector", "off"), ("log_destination", "stderr"),
            ])
    }

    // Its descriptor lies above what a spawned process gets.
    private func opened(_ path: String, _ flags: Int32) throws -> Int32 {
        let file = open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw DurableFile.failure("open", path) }
        defer { close(file) }
        let descriptor = fcntl(file, F_DUPFD_CLOEXEC, 10)
        guard descriptor >= 0 else { throw DurableFile.failure("open", path) }
        return descriptor
    }

    /// Waits until it answers; false where somebody else has its port.
    private func isServing(
        _ process: ProcessIdentity,
        _ folder: ExternalFolder,
        _ programs: PostgresPrograms,
        _ port: UInt16
    ) async throws -> Bool {
        let end = ContinuousClock.now + patience.start
        let sockets = try folder.shortSockets()
        let question = command(
            programs.isReady,
            ["--quiet", "--host=\(sockets)", "--port=\(port)", "--timeout=3"],
            deadline: .seconds(20)
        )
        while ContinuousClock.now < end {
            if try await question.result().status == 0 { return true }
            guard process.isAlive else {
                let said = lastWords(folder)
                if said.contains("Address already in use") { return false }
                throw failed(folder, "it ended", said)
            }
            // Nothing tells of the moment from which it answers.
            try await Task.sleep(for: .milliseconds(50))
        }
        throw KilnError(
            .externalDeadline,
            "the external service \(folder.id) did not serve after \(patience.start)",
            hint: "see what keeps this host busy, then try again",
            cause: lastWords(folder),
            exit: .deadline
        )
    }

    private func lastWords(_ folder: ExternalFolder) -> String { Printable.text(folder.lastWords(4096) ?? []) }

    private func failed(_ folder: ExternalFolder, _ reason: String, _ cause: String?) -> KilnError {
        KilnError(
            .externalFailed,
            "the external service \(folder.id) can't be started: \(reason)",
            hint: "see whether PostgreSQL works on this host: 'pg_lsclusters', and its free memory and space",
            cause: cause,
            exit: .aborted
        )
    }
}

extension LoopbackPorts {
    /// A port that nobody has, and that is not among `taken`.
    ///
    /// - Throws: `KilnError` with code `port.none-free`.
    func choose(besides taken: Set<UInt16>) throws -> UInt16 {
        let start = UInt16.random(in: choice)
        let order = Array(start...choice.upperBound) + Array(choice.lowerBound..<start)
        if let port = order.first(where: { !taken.contains($0) && isFree($0, .tcp) }) { return port }
        throw KilnError(
            .portNoneFree,
            "no free port on 127.0.0.1 between \(choice.lowerBound) and \(choice.upperBound)",
            hint: "take labs down that are not needed: 'kiln ps', 'kiln down LAB'",
            exit: .blocked
        )
    }
}
