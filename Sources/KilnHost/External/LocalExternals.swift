import Foundation
import KilnEngine
import KilnModel
import KilnSystem

/// The services that scenarios have beside their machines, as processes of this host.
///
/// A PostgreSQL server is the host's own program, run as whom machines run as, with all that it has in a folder of the run. It
/// listens on 127.0.0.1 and at a unix socket that is closed to other users. Nobody can log in but the scenario's user, with a
/// password of this run only: what has to be done as the owner of the server is done before it listens.
public struct LocalExternals: ExternalControl {
    /// How long each part may take.
    public struct Patience: Sendable, Hashable {
        /// Making the files of a service.
        public var make = Duration.seconds(180)
        /// Its start.
        public var start = Duration.seconds(120)
        /// Its end, once it was asked to.
        public var end = Duration.seconds(20)
        /// Its end, once it was told to leave everything as it is; then it is killed.
        public var abort = Duration.seconds(5)

        /// The usual times.
        public init() {}
    }

    let state: StateDirectory
    let owner: MachineOwner
    let programs: String
    let patience: Patience

    /// The services of a state directory.
    ///
    /// - Parameters:
    ///   - owner: who runs machines, and these services.
    ///   - programs: where versions of PostgreSQL are looked for; nothing means where Debian has them.
    ///   - patience: how long each part may take.
    public init(state: StateDirectory, owner: MachineOwner, programs: String? = nil, patience: Patience = Patience()) {
        self.state = state
        self.owner = owner
        self.programs = programs ?? PostgresPrograms.usualRoot
        self.patience = patience
    }

    /// Starts a service, and waits until it serves.
    public func start(
        _ id: ExternalID,
        _ spec: ExternalSpec,
        besides taken: Set<UInt16>
    ) async throws -> ExternalAccess {
        switch spec {
        case .postgres(let spec): try await start(id, spec, besides: taken)
        }
    }

    /// Ends all services of a lab, and removes all that they have.
    public func end(of lab: Name) async throws {
        let folder = state.externals(lab)
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in entries.sorted().compactMap({ try? Name($0) }) {
            let one = ExternalFolder(ExternalID(lab: lab, name: name), state)
            try await BlockingWork.run { try end(one) }
            try await remove(one)
        }
        rmdir(folder)
    }

    /// The last of what a service said to its log.
    public func log(_ id: ExternalID) async -> [UInt8]? {
        let folder = ExternalFolder(id, state)
        return await BlockingWork.run { folder.lastWords(256 << 10) }
    }

    /// Whom a service's programs run as, where that is somebody else.
    var user: Command.User? { owner.uid == geteuid() ? nil : owner.identity }

    /// A program that is run as whom the service runs as, in a folder that this user can enter.
    func command(_ program: String, _ arguments: [String], deadline: Duration? = nil) -> Command {
        Command("env", ["--chdir=/", program] + arguments, deadline: deadline ?? patience.make, user: user)
    }

    // As its owner: a link in the service's folders leads nobody but the service's user elsewhere.
    private func remove(_ folder: ExternalFolder) async throws {
        let there = [folder.data, folder.sockets].filter { FileManager.default.fileExists(atPath: $0) }
        if !there.isEmpty {
            try await command("find", there + ["-xdev", "-mindepth", "1", "-delete"]).run()
        }
        for path in there where rmdir(path) != 0 { throw DurableFile.failure("rmdir", path) }
        do {
            try FileManager.default.removeItem(atPath: folder.path)
        } catch {
            throw KilnError(
                .externalFailed,
                "the folder of the external service \(folder.id) can't be removed: \(folder.path)",
                hint: "see who writes there, then run 'kiln gc'",
                cause: "\(error)",
                exit: .aborted
            )
        }
    }
}
