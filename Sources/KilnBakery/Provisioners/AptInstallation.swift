import Foundation
import KilnDocuments
import KilnModel
import KilnSystem

/// Installs packages in a room with the tree's own apt.
///
/// Archives are those of the recipe, the environment or the host's apt, for the tree's suite; sources, keys, lists and
/// what is downloaded lie beside the tree, so nothing of them stays in it.
struct AptInstallation {
    /// What no image needs: documentation, and texts in other languages.
    static let leftOut = ["doc", "info", "locale", "man"].map { "/usr/share/\($0)/*" }

    let packages: [String]
    let mirrors: [String]
    let keyrings: [String]
    var settings = StepSettings(network: true)

    /// The folder as programs in the room see it.
    private static let place = RoomPlaces.kiln + "/apt"

    func install(in room: any BuildRoom, _ bake: BakeContext) async throws {
        let folder = bake.scratch + "/apt"
        try await prepare(folder, suite: try await suite(in: room, bake), loopback: room.loopback, bake)
        try await room.lend(folder, as: "apt")
        let command = { (arguments: [String]) in
            RoomCommand(
                ["apt-get", "-q", "-y"] + arguments,
                environment: ["APT_CONFIG": AptInstallation.place + "/apt.conf"],
                timeout: settings.timeout,
                network: settings.network
            )
        }
        try await room.run(command(["update"]))
        try await room.run(command(["install", "--no-install-recommends"] + packages))
    }

    private func prepare(_ folder: String, suite: String, loopback: String?, _ bake: BakeContext) async throws {
        for name in ["lists/partial", "archives/partial", "keys", "parts"] {
            try DurableFile.makeDirectory("\(folder)/\(name)")
        }
        let settings = try await HostApt.Settings.read()
        let debian = Recipe.Debian(suite: suite, variant: "", packages: [], mirrors: mirrors, keyrings: keyrings)
        let sources = try await DebianSources.of(
            debian.wanted(bake.recipe.snapshot),
            settings: settings,
            scratch: bake.scratch + "/host-apt"
        )
        for note in sources.notes { bake.log.tell(note) }
        try DurableFile.write(
            Data(AptInstallation.reaching(loopback, sources.lines.joined(separator: "\n") + "\n").utf8),
            to: folder + "/sources.list",
            mode: 0o644
        )
        for (number, keyring) in sources.keyrings.enumerated() {
            try DurableFile.write(keyring.content, to: "\(folder)/keys/\(number).\(keyring.ending)", mode: 0o644)
        }
        let acquisition = try await AptAcquisition(
            settings.acquisition,
            sources: sources.lines,
            folder: folder,
            place: AptInstallation.place
        )
        for note in acquisition.notes { bake.log.tell(note) }
        let configuration = AptInstallation.reaching(loopback, self.configuration(acquisition))
        try DurableFile.write(Data(configuration.utf8), to: folder + "/apt.conf", mode: 0o644)
    }

    /// Names the address at which a room finds a mirror or proxy of this host's loopback, where that is another one.
    static func reaching(_ loopback: String?, _ text: String) -> String {
        guard let loopback else { return text }
        return ["127.0.0.1", "localhost", "[::1]"].reduce(text) { text, host in
            ["/", ":", "\"", "\n", " "].reduce(text) {
                $0.replacing("//\(host)\($1)", with: "//\(loopback)\($1)")
            }
        }
    }

    private func configuration(_ acquisition: AptAcquisition) -> String {
        let place = AptInstallation.place
        let own = [
            "Dir::Etc::sourcelist \"\(place)/sources.list\";", "Dir::Etc::sourceparts \"\(place)/parts\";",
            "Dir::Etc::trusted \"\(place)/keys/none.gpg\";", "Dir::Etc::trustedparts \"\(place)/keys\";",
            "Dir::State::lists \"\(place)/lists\";", "Dir::Cache::archives \"\(place)/archives\";",
            "Dir::Cache::pkgcache \"\";", "Dir::Cache::srcpkgcache \"\";", "Acquire::Languages \"none\";",
            // Folders beside the tree belong to nobody whom the tree knows.
            "APT::Sandbox::User \"root\";", "APT::Install-Recommends \"false\";", "Dpkg::Use-Pty \"false\";",
            // The disk is made of the tree once it is done, and thrown away where it is not.
            "DPkg::Options { \"--force-unsafe-io\"; \"--force-confdef\"; \"--force-confold\"; };",
        ]
        let leftOut = AptInstallation.leftOut.map { "DPkg::Options { \"--path-exclude=\($0)\"; };" }
        return (acquisition.lines + own + leftOut).map { $0 + "\n" }.joined()
    }

    /// The code name that the tree has of itself.
    private func suite(in room: any BuildRoom, _ bake: BakeContext) async throws -> String {
        for folder in ["/usr/lib", "/etc"] {
            guard let content = try? await room.read(folder + "/os-release", limit: 64 << 10) else { continue }
            let lines = String(decoding: content, as: UTF8.self).split(separator: "\n")
            for line in lines where line.hasPrefix("VERSION_CODENAME=") {
                let suite = line.dropFirst("VERSION_CODENAME=".count).trimmingCharacters(in: ["\"", "'"])
                if TextForm.suite.accepts(suite) { return suite }
            }
        }
        throw KilnError(
            .recipeNoPackages,
            "\(bake.recipe.name):\(bake.version.name) can't have packages installed: its tree does not say of which Debian it is (VERSION_CODENAME in /usr/lib/os-release)",
            hint: "make it from an image with apt and dpkg, such as debian-13:1; tiny has neither",
            exit: .invalidFile
        )
    }
}
