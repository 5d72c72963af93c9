import Foundation
import KilnModel
import KilnSystem

extension Baker {
    /// Runs mmdebstrap and returns the archive it makes.
    func fetch(_ debian: Recipe.Debian, for name: Name, into folder: String) async throws -> String {
        tell("\(name): fetching Debian \(debian.suite)")
        let settings = try await HostApt.Settings.read()
        let sources = try await DebianSources.of(debian, settings: settings, scratch: "\(folder)/apt")
        for note in sources.notes { tell("\(name): \(note)") }
        let list = "\(folder)/sources.list"
        try DurableFile.write(Data((sources.lines.joined(separator: "\n") + "\n").utf8), to: list)
        let hooks = try TreeHooks(debian, sources: sources, settings: settings, folder: "\(folder)/apt")
        let archive = "\(folder)/tree.tar"
        // As root its scratch folder goes where the next bake finds it; in a namespace it must be where others may enter.
        let command = Command.bake(
            "mmdebstrap",
            Baker.arguments(debian) + hooks.arguments + [debian.suite, archive, list],
            environment: geteuid() == 0 ? ["TMPDIR": folder] : [:]
        )
        do {
            _ = try await command.lines { [tell] in tell("  \($0)") }
        } catch let error as KilnError where error.code == .toolFailed {
            throw KilnError(
                .bakeNotFetched,
                "mmdebstrap could not make a tree of Debian \(debian.suite) from \(sources.lines.joined(separator: ", "))",
                hint:
                    "look at its last lines: can the mirror be reached, has it the suite and the packages, and is it signed "
                    + "with a key of \(sources.keyrings.map(\.file).joined(separator: ", "))?",
                cause: error.cause,
                exit: .aborted
            )
        }
        return archive
    }

    private static func arguments(_ debian: Recipe.Debian) -> [String] {
        let leftOut = ["doc", "info", "locale", "man"].map { "--dpkgopt=path-exclude=/usr/share/\($0)/*" }
        return ["--mode=auto", "--format=tar", "--variant=\(debian.variant)"] + leftOut
            + ["--include=\(debian.packages.joined(separator: ","))"]
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
