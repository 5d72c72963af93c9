import ArgumentParser
import Foundation
import KilnOutside

@main
struct KilnHosts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kiln-hosts",
        abstract: "Try kiln on other Debian releases than this host's.",
        discussion: """
            Each release is a root made by mmdebstrap, cached, and entered through an overlay that is thrown away. The exit \
            status is 0 only where every check passed or says why it was skipped, and at least one ran on each host.
            """,
        subcommands: [Run.self, Roots.self, Inside.self],
        defaultSubcommand: Run.self
    )
}

/// The options that choose roots.
struct RootOptions: ParsableArguments {
    @Option(name: .customLong("suite"), help: "Only this Debian release, by the name of its suite.")
    var suites: [String] = []

    @Option(help: "Where roots are cached and evidence is kept.")
    var directory = ".build/hosts"

    func validate() throws {
        for suite in suites where !HostRoot.suites.contains(suite) {
            throw ValidationError("--suite takes \(HostRoot.suites.joined(separator: " or ")), not '\(suite)'.")
        }
    }

    var place: HostPlace { HostPlace(path: URL(fileURLWithPath: directory).path) }

    func roots(_ kind: HostRoot.Kind) -> [HostRoot] {
        HostRoot.suites.filter { suites.isEmpty || suites.contains($0) }
            .map { HostRoot(suite: $0, kind: kind, place: place) }
    }
}

/// Makes the roots, which takes a minute or two each.
struct Roots: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make the roots that are not cached yet; check nothing.")

    @OptionGroup var options: RootOptions

    func run() async throws {
        try Privileges.insist()
        for root in options.roots(.equipped) { try await root.make() }
    }
}

/// The checks.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the checks in a fresh copy of each root.")

    @OptionGroup var options: RootOptions

    @Option(help: "Run only checks whose name contains this, such as 'kill' or 'doctor'.")
    var only: [String] = []

    @Flag(help: "Run only the part that 'make test' runs.")
    var quick = false

    @Option(help: "Boot the image tiny so many times on each host, and count the guests that die before init.")
    var boots = 0

    @Option(help: "The kiln program; without it, the one beside this program.")
    var kiln: String?

    @Option(
        help: "A package of kiln, which is installed in roots without anything that it needs, and tried as installed."
    )
    var package: String?

    @Flag(help: "List the checks, and run nothing.")
    var list = false

    func validate() throws {
        guard (0...100_000).contains(boots) else { throw ValidationError("--boots takes 0 to 100000.") }
        for text in only where !Check.all.contains(where: { $0.name.contains(text) }) {
            throw ValidationError("no check has '\(text)' in its name; see --list")
        }
        if package != nil && (kiln != nil || quick) {
            throw ValidationError("--package is tried as a whole, without --kiln and --quick")
        }
    }

    private var plan: Plan { Plan(only: only, quick: quick, boots: boots, isOfPackage: package != nil) }

    func run() async throws {
        if list { return print(plan.listing, terminator: "") }
        let programs = try Programs(kiln: kiln, package: package)
        let roots = options.roots(package == nil ? .equipped : .bare)
        try Privileges.insist()
        options.place.removeAbandoned()
        // Before signals are caught: Ctrl-C ends this program, and with it what makes a root.
        for root in roots { try await root.make() }
        Interruption.install()
        let start = ContinuousClock.now
        var hosts: [HostFindings] = []
        for root in roots where !Interruption.isCaught {
            hosts.append(try Visit(root: root, programs: programs, plan: plan).run())
        }
        let table = HostsTable(hosts: hosts, took: ContinuousClock.now - start, evidence: options.place.evidence)
        print(table.text, terminator: "")
        if Interruption.isCaught { throw ExitCode(130) }
        if !table.isClean { throw ExitCode(1) }
    }
}
