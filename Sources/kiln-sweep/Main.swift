import ArgumentParser
import Foundation
import KilnOutside

@main
struct KilnSweep: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kiln-sweep",
        abstract: "Try every fault at every step of a replacement and of a rollout, and look whether anything is lost.",
        discussion: """
            Finished cells are kept in a file, so that an interrupted sweep goes on where it was. The exit status is 0 only \
            where every cell was run and nothing was lost, left behind or served twice; 75 where the time was up before.
            """,
        subcommands: [Run.self, Lane.self],
        defaultSubcommand: Run.self
    )
}

/// The sweep itself.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the cells that have no result yet.")

    @Option(help: "Where results are kept.")
    var results = ".build/sweep"

    @Option(help: "Run only cells whose name contains this, such as 'power-cuts' or 'handover.after/kill'.")
    var only: [String] = []

    @Flag(help: "Forget earlier results.")
    var fresh = false

    @Option(help: "Begin no cell after so many minutes.")
    var budgetMinutes = 75

    @Option(
        help: "How many servers are replaced at the same time; each takes a core. Rollouts are tried one at a time."
    )
    var lanes = 2

    @Option(help: "How many power cuts are looked at in each recording.")
    var states = 60

    @Option(help: "The kiln program; without it, the one beside this program.")
    var kiln: String?

    @Option(help: "Plant a bug that the power cuts have to find: 'early-acknowledgement'.")
    var plant: Bug?

    @Flag(help: "List the cells, and those that can't occur with the reason, and run nothing.")
    var list = false

    /// A mistake that is made on purpose.
    enum Bug: String, ExpressibleByArgument {
        /// The ledger's writer acknowledges before it has synced.
        case earlyAcknowledgement = "early-acknowledgement"
    }

    func validate() throws {
        guard (1...16).contains(lanes) else { throw ValidationError("--lanes takes 1 to 16.") }
        guard (2...10_000).contains(states) else { throw ValidationError("--states takes 2 to 10000.") }
    }

    func run() throws {
        let program = try Program.beside(kiln)
        // Before earlier results are forgotten.
        if let stray = Sweep.stray(only, possible: !list) {
            throw ValidationError("no cell that can occur has '\(stray)' in its name; see --list")
        }
        let path = URL(fileURLWithPath: results).path + "/results.jsonl"
        if fresh && !list { try? FileManager.default.removeItem(atPath: path) }
        let images = try Program.images()
        let sweep = Sweep(
            kiln: program,
            images: images,
            results: ResultFile(path: path, basis: try basis(program, images)),
            only: only,
            lanes: lanes,
            states: states,
            isSyncing: plant != .earlyAcknowledgement,
            deadline: .now + .seconds(60 * budgetMinutes)
        )
        if list { return print(sweep.listing, terminator: "") }
        try FileManager.default.createDirectory(atPath: results, withIntermediateDirectories: true)
        let table = try sweep.run()
        try Data(table.markdown.utf8).write(to: URL(fileURLWithPath: results + "/table.md"))
        print(table.text, terminator: "")
        if Interruption.isCaught { throw ExitCode(130) }
        if let status = table.exitStatus { throw ExitCode(status) }
    }

    private func basis(_ program: String, _ images: String) throws -> Basis {
        let files = [program, Program.own] + ["1", "2"].map { "\(images)/names/tiny/\($0)" }
        return Basis(
            programs: try files.map(Program.digest).joined(separator: "-"),
            tests: try Program.tests.map(Program.digest) ?? "none",
            states: states,
            plant: plant?.rawValue
        )
    }
}

/// The programs and images that are used.
enum Program {
    /// The kiln program: the one that was named, or the one beside this program.
    static func beside(_ named: String?) throws -> String {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let path = URL(fileURLWithPath: named ?? own.path + "/kiln").path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw ValidationError("there is no program \(path); build it, or name it with --kiln")
        }
        return path
    }

    /// This program.
    static var own: String { URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path }

    /// The tests that were built in this directory, if they were; 'swift test' runs the same.
    static var tests: String? {
        let folder = ".build/debug"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.first { $0.hasSuffix("PackageTests.xctest") }.map { "\(folder)/\($0)" }
    }

    /// What tells a file from another one, such as a build from the next.
    static func digest(_ path: String) throws -> String {
        let line = ["sha256sum", path]
        let child = try Child(
            line,
            environment: ["PATH": "/usr/bin:/bin"],
            directory: FileManager.default.temporaryDirectory.path
        )
        let end = try child.finish()
        guard end.status == 0 else { throw Failure("\(path) has no digest: \(end.errors)") }
        return String(end.output.prefix(16))
    }

    /// The image store of this host.
    static func images() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let home =
            if let home = environment["KILN_HOME"], !home.isEmpty { home } else if geteuid() == 0 {
                "/var/lib/kiln"
            } else {
                (environment["XDG_STATE_HOME"] ?? (environment["HOME"] ?? "") + "/.local/state") + "/kiln"
            }
        for version in ["1", "2"] where access("\(home)/images/names/tiny/\(version)", R_OK) != 0 {
            throw ValidationError(
                "there is no image tiny:\(version) in \(home)/images; bake it: 'kiln image bake tiny'"
            )
        }
        return home + "/images"
    }
}
