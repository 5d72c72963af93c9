import Foundation
import KilnModel
import KilnSystem

/// A Debian of mmdebstrap's on a workbench.
struct DebianTree {
    private let debian: Recipe.Debian
    private let snapshot: SnapshotDate?
    private let bench: Workbench
    private let tell: @Sendable (String) -> Void

    init(
        _ debian: Recipe.Debian,
        _ snapshot: SnapshotDate?,
        _ bench: Workbench,
        _ tell: @escaping @Sendable (String) -> Void
    ) {
        self.debian = debian
        self.snapshot = snapshot
        self.bench = bench
        self.tell = tell
    }

    /// Runs mmdebstrap, and unpacks what it makes.
    func make() async throws {
        let folder = bench.scratch
        let settings = try await HostApt.Settings.read()
        let sources = try await DebianSources.of(debian.wanted(snapshot), settings: settings, scratch: "\(folder)/apt")
        for note in sources.notes { tell("\(bench.plan.title): \(note)") }
        let list = "\(folder)/sources.list"
        try DurableFile.write(Data((sources.lines.joined(separator: "\n") + "\n").utf8), to: list)
        let hooks = try TreeHooks(debian, sources: sources, settings: settings, folder: "\(folder)/apt")
        let archive = "\(folder)/tree.tar"
        do {
            let line = arguments + hooks.arguments + [debian.suite, archive, list]
            _ = try await command(line).lines { [log = bench.log] in log.tell($0) }
        } catch let error as KilnError where error.code == .toolFailed {
            throw notFetched(sources, error)
        }
        try await bench.tree.unpack(archive)
        unlink(archive)
    }

    // In a user's namespace the scratch folder must be where others may enter.
    private func command(_ arguments: [String]) -> Command {
        guard geteuid() == 0 else { return .bake("mmdebstrap", arguments) }
        let line = DebianTree.line(in: bench.scratch, arguments)
        return .bake(line[0], Array(line.dropFirst()))
    }

    /// The command that runs mmdebstrap as root, with its files in a folder.
    ///
    /// What it mounts in a tree, as /dev/pts and /dev/shm, goes with a namespace of its own, however it ends; and its files are where
    /// the next bake finds them. apt downloads as a user who can't get there, but to a mount that nobody else has, over a folder
    /// that stays empty: nothing of the host is hidden by it.
    static func line(in folder: String, _ arguments: [String]) -> [String] {
        let script = #"""
            for place in /run/kiln-bake /var/lib/kiln-bake; do
                (umask 022 && mkdir -p "$place") 2> /dev/null && break
            done
            mount --bind "$0" "$place" && export TMPDIR="$place" && exec mmdebstrap "$@"
            """#
        return ["unshare", "--mount", "--propagation", "private", "--", "/bin/sh", "-c", script, folder] + arguments
    }

    private func notFetched(_ sources: DebianSources, _ error: KilnError) -> KilnError {
        KilnError(
            .bakeNotFetched,
            "mmdebstrap could not make a tree of Debian \(debian.suite) from \(sources.lines.joined(separator: ", "))",
            hint:
                "look at its last lines: can the mirror be reached, has it the suite and the packages, and is it signed "
                + "with a key of \(sources.keyrings.map(\.file).joined(separator: ", "))?",
            cause: error.cause,
            exit: .aborted
        )
    }

    private var arguments: [String] {
        let leftOut = AptInstallation.leftOut.map { "--dpkgopt=path-exclude=\($0)" }
        return ["--mode=auto", "--format=tar", "--variant=\(debian.variant)"] + leftOut
            + ["--include=\(debian.packages.joined(separator: ","))"]
    }
}

extension Recipe.Debian {
    /// With mirrors that have the packages of a day, where one is asked for.
    func wanted(_ snapshot: SnapshotDate?) -> Recipe.Debian {
        Recipe.Debian(
            suite: suite,
            variant: variant,
            packages: packages,
            mirrors: DebianMirror.ofSnapshot(snapshot, mirrors: mirrors, suite: suite),
            keyrings: keyrings
        )
    }
}

/// What mmdebstrap does in the tree besides its own work.
///
/// While packages are fetched, apt there reaches archives as the host's apt does, by the same proxy, and checks them with
/// the keys that were chosen. Nothing of that stays in the image.
struct TreeHooks {
    /// Of mmdebstrap.
    private(set) var arguments: [String] = []

    private static let keys = "/etc/apt/kiln"
    private static let configuration = "/etc/apt/apt.conf.d/99kiln"

    /// Writes the files into a folder, from which mmdebstrap takes them itself: in a user namespace nobody else could.
    init(_ debian: Recipe.Debian, sources: DebianSources, settings: HostApt.Settings, folder: String) throws {
        try DurableFile.makeDirectory(folder)
        let setting = "\(folder)/apt.conf"
        try DurableFile.write(Data(TreeHooks.text(settings).utf8), to: setting, mode: 0o600)
        arguments.append(#"--setup-hook=mkdir -p "$1"\#(TreeHooks.keys)"#)
        upload(setting, to: TreeHooks.configuration)
        for (number, keyring) in sources.keyrings.enumerated() {
            let name = "\(number).\(keyring.ending)"
            try DurableFile.write(keyring.content, to: "\(folder)/\(name)")
            upload("\(folder)/\(name)", to: "\(TreeHooks.keys)/\(name)")
        }
        // Nothing is installed for `extract`, so there the archives are asked which packages there are.
        let (stage, packages) =
            debian.variant == "extract"
            ? ("extract", #"for deb in "$1"/var/cache/apt/archives/*.deb; do dpkg-deb -W "$deb"; done"#)
            : ("customize", #"chroot "$1" dpkg-query -W"#)
        arguments.append(#"--\#(stage)-hook=\#(packages) > "$1/.kiln-packages""#)
        arguments.append(#"--\#(stage)-hook=rm -r "$1"\#(TreeHooks.keys) "$1"\#(TreeHooks.configuration)"#)
    }

    private mutating func upload(_ file: String, to place: String) {
        let quoted = file.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        arguments.append("--setup-hook=upload \"\(quoted)\" \(place)")
    }

    /// Credentials are for root's eyes only: in a user namespace apt would stumble over them.
    private static func text(_ settings: HostApt.Settings) -> String {
        // Below `etc/apt` of the tree, for apt from outside, too.
        let trust = [#"Dir::Etc::trusted "kiln/none.gpg";"#, #"Dir::Etc::trustedparts "kiln/";"#]
        return (settings.acquisition + (geteuid() == 0 ? settings.credentials : []) + trust)
            .map { $0 + "\n" }.joined()
    }
}
