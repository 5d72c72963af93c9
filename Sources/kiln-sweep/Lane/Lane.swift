import ArgumentParser
import Foundation
import KilnOutside
import Synchronization

/// The process that changes one server, or its members, again and again, in a mount namespace of its own: reads names
/// of cells, a line each, and answers each with a result.
struct Lane: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Used by the sweep itself.", shouldDisplay: false)

    @Option var home: String
    @Option var kiln: String
    @Option var images: String
    @Option var operation: String
    @Option var evidence: String

    func run() throws {
        let lane = LaneHome(path: home, kiln: kiln)
        // Also where the sweep was killed, and nobody else could do it.
        defer { LaneHome.endProcesses(of: home) }
        let run =
            switch operation {
            case RolloutCell.tier:
                running(RolloutCell.all, \.name) { [fleet = try fleet(lane)] in RolloutRun($0, on: fleet) }
            case HealCell.tier: running(HealCell.all, \.name) { [fleet = try fleet(lane)] in HealRun($0, on: fleet) }
            default: try failpoints(lane)
            }
        while let name = readLine() {
            let answer = try JSONEncoder().encode(try run(name)) + Data("\n".utf8)
            try FileHandle.standardOutput.write(contentsOf: answer)
        }
    }

    /// Makes the server of an operation; what is returned runs a cell by its name.
    private func failpoints(_ lane: LaneHome) throws -> (String) throws -> CellResult {
        guard let operation = Operation.all.first(where: { $0.name == operation }) else {
            throw Failure("there is no operation \(operation)")
        }
        let server = LaneServer(lane)
        try lane.make(images: images, members: [server.member], ownOverlays: operation.faults.contains(.fullOverlay))
        try server.create(operation)
        return running(FailpointCell.all, \.name) { CellRun($0, on: server) }
    }

    private func running<Cell>(
        _ cells: [Cell],
        _ name: KeyPath<Cell, String>,
        _ run: @escaping (Cell) -> any LaneRun
    ) -> (String) throws -> CellResult {
        let cells = Dictionary(uniqueKeysWithValues: cells.map { ($0[keyPath: name], $0) })
        return { name in
            guard let cell = cells[name] else { throw Failure("there is no cell \(name)") }
            let run = run(cell)
            let result = run.run()
            if !result.isClean { run.keepEvidence(in: evidence) }
            return result
        }
    }

    private func fleet(_ lane: LaneHome) throws -> LaneFleet {
        let fleet = LaneFleet(lane)
        // What fills the file system of lab and journals must not stop machines.
        try lane.make(images: images, members: fleet.members.map(\.member), ownOverlays: true)
        try fleet.create()
        return fleet
    }
}

/// One cell on a lane's server.
protocol LaneRun {
    /// Runs it; what is wrong is in the result.
    func run() -> CellResult
    /// Keeps what helps to understand what was found.
    func keepEvidence(in directory: String)
}

/// The sweep's end of a lane.
final class LaneProcess {
    private let pid: Int32
    private let home: String
    private let input: Int32
    private let output: UnsafeMutablePointer<FILE>

    /// Starts a lane, which brings its server up first.
    ///
    /// - Parameter directory: where it may say why it can't go on, in `lanes.log`, and shows what it found, below
    ///   `evidence`.
    init(kiln: String, images: String, operation: String, directory: String) throws {
        var template = Array("/tmp/kiln-sweep-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure("no directory can be made below /tmp") }
        home = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // A user may mount in a user namespace of his own, in which he stays who he is.
        let own = geteuid() == 0 ? [] : ["--map-current-user", "--keep-caps"]
        let line =
            ["unshare"] + own + ["--mount", "--propagation", "private", "--", Program.own, "lane"]
            + ["--home", home, "--kiln", kiln, "--images", images, "--operation", operation]
            + ["--evidence", directory + "/evidence"]
        let log = directory + "/lanes.log"
        let started = try LaneProcess.starting.withLock { _ in try LaneProcess.start(line, log: log) }
        guard let file = fdopen(started.output, "r") else { throw Failure("no pipe can be read") }
        (pid, input, output) = (started.pid, started.input, file)
    }

    // One at a time: another lane that is started meanwhile would inherit the pipes' ends, and keep them open.
    private static let starting = Mutex(())

    private static func start(_ line: [String], log: String) throws -> (pid: Int32, input: Int32, output: Int32) {
        var (down, up): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        guard pipe(&down) == 0, pipe(&up) == 0 else { throw Failure("no pipe can be made") }
        for descriptor in down + up { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        defer { for descriptor in [down[0], up[1]] { close(descriptor) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, down[0], 0)
        posix_spawn_file_actions_adddup2(&actions, up[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        let pid = try Child.spawn(line, ProcessInfo.processInfo.environment, &actions)
        return (pid, down[1], up[0])
    }

    /// Lets it run a cell; nothing where it has ended before there was a result.
    func run(_ cell: String) -> CellResult? {
        let question = Array((cell + "\n").utf8)
        guard write(input, question, question.count) == question.count else { return nil }
        var line: UnsafeMutablePointer<CChar>?
        var size = 0
        defer { free(line) }
        let count = getline(&line, &size, output)
        guard count > 0, let line else { return nil }
        return try? JSONDecoder().decode(CellResult.self, from: Data(bytes: line, count: count))
    }

    /// Ends it and everything that runs in its home.
    func end() {
        close(input)
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        fclose(output)
        LaneHome.endProcesses(of: home)
        rmdir(home)
    }
}
