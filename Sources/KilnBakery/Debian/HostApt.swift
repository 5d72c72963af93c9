import Foundation
import KilnModel
import KilnSystem

/// What apt on this host is configured with, and what it knows of its archives.
struct HostApt: Sendable {
    /// The components that its sources name.
    let targets: [AptTarget]
    /// What apt said while it read Release files, where it had to.
    let complaint: String?

    /// Reads the configuration, and asks archives only where apt's own lists don't tell whose they are.
    ///
    /// They may have been removed, as images of containers do.
    ///
    /// - Parameters:
    ///   - folder: an empty one, for lists of its own. Those of the host stay as they are, and need no privilege.
    ///   - settings: where apt's own lists are.
    ///   - environment: variables besides those of this process, such as `APT_CONFIG`.
    ///   - isAsking: whether archives are asked at all; without it they stay unread.
    /// - Throws: `KilnError` with code `bake.no-mirror` where apt can't say which archives it has; `tool.missing`,
    ///   `tool.deadline`; `CancellationError`.
    static func read(
        in folder: String,
        _ settings: Settings,
        environment: [String: String] = [:],
        isAsking: Bool = true
    ) async throws -> HostApt {
        let lists = "\(folder)/lists"
        try DurableFile.makeDirectory(lists + "/partial")
        let own = "\(folder)/lists.conf"
        try DurableFile.write(Data(configuration(lists: lists).utf8), to: own)
        let apt = { (arguments: [String]) in
            Command.bake("apt-get", ["--config-file", own] + arguments, environment: environment)
        }
        let configured = try await targets(apt(list))
        let host = HostApt(targets: configured, complaint: nil)
            .reading(lists: settings.lists)
        guard isAsking, !host.unread.isEmpty else { return host }
        let update = try await apt(["--option", "\(target)::DefaultEnabled=false", "-qq", "update"]).result()
        let said = Printable.text(update.errors)
        return HostApt(targets: host.targets, complaint: said.isEmpty ? nil : said).reading(lists: lists)
    }

    private func reading(lists: String) -> HostApt {
        let read = targets.map { target in
            var target = target
            target.about = target.about ?? AptRelease(of: target, in: lists)
            return target
        }
        return HostApt(targets: read, complaint: complaint)
    }

    /// Only what is for an architecture.
    func targets(of architecture: String) -> HostApt {
        HostApt(targets: targets.filter { $0.architecture == architecture }, complaint: complaint)
    }

    /// Those whose maker is unknown.
    var unread: [AptTarget] { targets.filter { $0.about == nil } }

    private static let target = "Acquire::IndexTargets::deb::Kiln"

    /// Leads apt to lists of its own, in which it keeps nothing but Release files; and keeps the host's programs from being
    /// told of an update.
    private static func configuration(lists: String) -> String {
        """
        #clear APT::Update;
        #clear Acquire::IndexTargets;
        \(target) {
          MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages";
          ShortDescription "Packages";
          Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages";
        };
        Dir::State::lists "\(lists)/";
        Dir::Cache::pkgcache "";
        Dir::Cache::srcpkgcache "";

        """
    }

    private static let list = ["indextargets", "--no-release-info", "--format", AptTarget.format]

    private static func targets(_ listing: Command) async throws -> [AptTarget] {
        do {
            return try await listing.lines().compactMap(AptTarget.init)
        } catch let error as KilnError where error.code == .toolFailed {
            throw KilnError(
                .bakeNoMirror,
                "apt on this host can't say which archives it has",
                hint: "mend its sources, with 'apt-get indextargets' as the judge; or \(DebianMirror.advice)",
                cause: error.cause,
                exit: .aborted
            )
        }
    }
}

extension HostApt {
    /// Paths and settings of apt, which the making of a tree goes by.
    struct Settings: Sendable, Hashable {
        let architecture: String
        /// How archives are reached, such as by which proxy: lines of a configuration.
        let acquisition: [String]
        /// Where credentials for archives are, in the same form.
        let credentials: [String]
        /// The keys that the host trusts: files, of which some may be missing.
        let trusted: [String]

        /// The folder of its lists.
        let lists: String

        /// - Parameter environment: variables besides those of this process.
        /// - Throws: `KilnError` with code `tool.…`; `CancellationError`.
        static func read(environment: [String: String] = [:]) async throws -> Settings {
            let apt = { (arguments: [String]) in Command.bake("apt-config", arguments, environment: environment) }
            let names = [
                "Dir::Etc::netrc/f", "Dir::Etc::netrcparts/d", "Dir::Etc::trusted/f", "Dir::Etc::trustedparts/d",
                "Dir::State::lists/d",
            ]
            let pairs = zip(["a", "b", "c", "d", "e"], names).flatMap { [$0, $1] }
            return Settings(dump: try await apt(["dump"]).lines(), paths: try await apt(["shell"] + pairs).lines())
        }

        /// - Parameters:
        ///   - dump: lines of `NAME "VALUE";`.
        ///   - paths: of the credentials, their folder, the keyring, its folder and the lists, in lines of `a='PATH'`.
        init(dump: [String], paths: [String]) {
            let native = "APT::Architecture \""
            architecture =
                dump.first { $0.hasPrefix(native) }.map { String($0.dropFirst(native.count).dropLast(2)) } ?? ""
            var path: [Substring: String] = [:]
            for line in paths {
                let parts = line.split(separator: "=", maxSplits: 1)
                if parts.count == 2 { path[parts[0]] = parts[1].trimmingCharacters(in: ["'"]) }
            }
            // What is fetched is mmdebstrap's affair, how it is fetched the host's.
            let others = ["IndexTargets", "Languages", "GzipIndexes", "CompressionTypes", "Changelogs", "cdrom"]
            acquisition = dump.filter { line in
                line.hasPrefix("Acquire::") && !others.contains { line.hasPrefix("Acquire::\($0)") }
            }
            credentials = zip(["netrc", "netrcparts"], ["a", "b"]).compactMap { name, key in
                path[Substring(key)].map { "Dir::Etc::\(name) \"\($0)\";" }
            }
            trusted = ["c", "d"].compactMap { path[$0] }
            lists = path["e"] ?? ""
        }
    }
}
