import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// Where an external service of a run lies.
///
/// Two folders in it belong to whom the service runs as; the rest is whose Kiln is, so that nothing which broke out of the
/// service leads Kiln elsewhere.
struct ExternalFolder: Sendable {
    let id: ExternalID
    let path: String
    /// The folder of its unix socket, beside the others: of whatever length names are, its path fits into an address.
    let sockets: String
    private let home: String

    init(_ id: ExternalID, _ state: StateDirectory) {
        self.id = id
        path = state.external(id)
        sockets = "\(state.runs)/\(String(StableHash.fnv1a(id.description), radix: 16)).sockets"
        home = state.root
    }

    /// The database's files.
    var data: String { path + "/data" }
    /// What it says.
    var log: String { path + "/log" }
    /// Locked as long as one of its processes lives: each has inherited the lock.
    var lock: String { path + "/lock" }
    /// Who may log in.
    var rules: String { path + "/pg_hba.conf" }
    private var record: String { path + "/server.json" }

    /// Makes the folders.
    ///
    /// - Throws: `KilnError` with a code `state.…` or `owner.…`.
    func make(for owner: MachineOwner) throws {
        try DurableFile.makeDirectory(path)
        for folder in [data, sockets] {
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw DurableFile.failure("mkdir", folder) }
            try owner.give(folder)
        }
    }

    /// The folder of sockets by a name that is short enough for an address, and that no setting has to quote.
    func shortSockets() throws -> String {
        let longest = "/.s.PGSQL.65535"
        return String(
            try HomeAlias(home: home).shortPath(for: sockets + longest, plain: true).dropLast(longest.count)
        )
    }

    /// Notes the process.
    func note(_ process: ProcessIdentity) throws { try DurableFile.writeJSON(process, to: record, mode: 0o600) }

    /// The process, as it was noted, or as its own files tell where Kiln was killed before that.
    func process(of owner: MachineOwner) -> ProcessIdentity? {
        if let noted = try? DurableFile.readJSON(ProcessIdentity.self, from: record) { return noted }
        guard let first = ownRecord.first, let pid = pid_t(first), let found = ProcessIdentity(pid) else { return nil }
        // The service's user could have written any number.
        var status = stat()
        let folder = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
        guard stat("/proc/\(pid)", &status) == 0, status.st_uid == owner.uid,
            folder == URL(fileURLWithPath: data).resolvingSymlinksInPath().path
        else { return nil }
        return found
    }

    /// Lines of what the server writes of itself (`postmaster.pid`): its number first, its shared memory in the seventh.
    private var ownRecord: [String] {
        let file = open(data + "/postmaster.pid", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(file, &bytes, bytes.count)
        guard count > 0 else { return [] }
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
    }

    /// The number of the shared memory that stays where the server is killed.
    var sharedMemory: Int32? {
        let lines = ownRecord
        guard lines.count > 6 else { return nil }
        return lines[6].split(separator: " ").last.flatMap { Int32($0) }
    }

    /// The last `limit` bytes of the log; nothing where there is none.
    func lastWords(_ limit: Int) -> [UInt8]? { FileTail.read(log, atMost: limit).map(Array.init) }
}
