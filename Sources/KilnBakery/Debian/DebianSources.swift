import Foundation
import KilnModel
import KilnSystem

/// Where the packages of a suite come from, and whose signature on them counts.
///
/// That is what the recipe names, else the environment, else the Debian archives of the host's own apt. Debian's are those
/// whose Release file says so: a vendor's archive for the host's release has nothing for another one.
public struct DebianSources: Sendable, Hashable {
    /// Lines of a `sources.list`.
    public let lines: [String]
    /// Files with the keys that archives are signed with.
    let keyrings: [AptKeyring]
    /// What people should know of: archives that are left out.
    let notes: [String]

    /// The Debian archives of the host's apt, for another suite.
    ///
    /// - Parameter folder: an empty one, for files that are needed meanwhile.
    /// - Throws: `KilnError` with code `bake.no-mirror`, `bake.no-keyring` or `tool.…`; `CancellationError`.
    public static func ofHost(for suite: String, scratch folder: String) async throws -> DebianSources {
        let settings = try await HostApt.Settings.read()
        return try ofHost(try await HostApt.read(in: folder, settings), suite: suite, settings: settings)
    }

    /// What the recipe, the environment or the host says, as a bake would ask.
    ///
    /// - Parameter folder: an empty one, for files that are needed meanwhile.
    /// - Throws: `KilnError` with code `bake.no-mirror`, `bake.no-keyring` or `tool.…`; `CancellationError`.
    public static func of(_ debian: Recipe.Debian, scratch folder: String) async throws -> DebianSources {
        try await of(debian, settings: try await HostApt.Settings.read(), scratch: folder)
    }

    /// What the recipe, the environment or the host says.
    static func of(_ debian: Recipe.Debian, settings: HostApt.Settings, scratch folder: String) async throws
        -> DebianSources
    {
        let environment = ProcessInfo.processInfo.environment
        let named = environment[DebianMirror.keyringVariable].flatMap { $0.isEmpty ? nil : [$0] }
        let keyrings = debian.keyrings.isEmpty ? named ?? [] : debian.keyrings
        let mirrors =
            debian.mirrors.isEmpty
            ? try DebianMirror.named(in: environment[DebianMirror.variable] ?? "") : debian.mirrors
        if mirrors.isEmpty {
            let apt = try await HostApt.read(in: folder, settings)
            let host = try ofHost(apt, suite: debian.suite, settings: settings)
            let more = try keyrings.map(AptKeyring.init(file:))
            return DebianSources(lines: host.lines, keyrings: more.isEmpty ? host.keyrings : more, notes: host.notes)
        }
        let keys = try keyrings.isEmpty ? AptKeyring.ofDebian() : keyrings.map(AptKeyring.init(file:))
        let unsigned = mirrors.filter { !$0.contains("trusted=yes") }
        guard !keys.isEmpty || unsigned.isEmpty else { throw AptKeyring.missing(for: unsigned) }
        return DebianSources(lines: DebianMirror.lines(mirrors, suite: debian.suite), keyrings: keys, notes: [])
    }

    /// Those of the tails that a suite has.
    static func tails(of suite: String, among tails: [String]) -> [String] {
        // What is under development has neither updates nor security updates.
        ["sid", "unstable", "experimental"].contains(suite) ? tails.filter(\.isEmpty) : tails
    }
}

extension DebianSources {
    private static let tails = ["-proposed-updates", "-updates", "-security"]

    /// Chooses Debian's archives, and names the suite instead of the host's release.
    static func ofHost(_ apt: HostApt, suite: String, settings: HostApt.Settings) throws -> DebianSources {
        let apt = apt.targets(of: settings.architecture)
        let debian = apt.targets.filter { $0.about?.origin == "Debian" && !$0.uri.hasPrefix("cdrom:") }
        try check(apt, debian: debian)
        var components: [(archive: String, names: [String])] = []
        var signers: [AptSourceEntry.Signers] = []
        for target in debian {
            guard let tail = tail(of: target), !tails(of: suite, among: [tail]).isEmpty else { continue }
            let entry = AptSourceEntry(named: target.entry)
            let archive = "deb \(entry.trustInLine)\(DebianMirror.copied(target.uri)) \(suite)\(tail)"
            let place = components.firstIndex { $0.archive == archive } ?? components.endIndex
            if place == components.endIndex { components.append((archive, [])) }
            if !components[place].names.contains(target.component) { components[place].names.append(target.component) }
            if !signers.contains(entry.signers) { signers.append(entry.signers) }
        }
        return DebianSources(
            lines: components.map { "\($0.archive) \($0.names.joined(separator: " "))" },
            keyrings: try AptKeyring.of(signers, trusted: settings.trusted),
            notes: unique(apt.unread.map(\.title)).map { "apt can't tell whose \($0) is; it is left out" }
        )
    }

    /// What the archive's release is to its suite: `-security`, or nothing for the release itself.
    ///
    /// Nil for one that other suites don't have, such as `rc-buggy`.
    private static func tail(of target: AptTarget) -> String? {
        let name = target.about?.codename ?? target.release
        if let tail = tails.first(where: { name.hasSuffix($0) }) { return tail }
        return name.contains("-") ? nil : ""
    }

    /// Refuses a host whose apt has no release of Debian, or only a part of what its sources name.
    private static func check(_ apt: HostApt, debian: [AptTarget]) throws {
        guard debian.contains(where: { tail(of: $0) == "" }) else {
            let host = HostRelease.title.map { " (\($0))" } ?? ""
            throw KilnError(
                .bakeNoMirror,
                "apt on this host\(host) has no archive of Debian's that it can read: it has \(list(apt))",
                hint: "\(DebianMirror.advice), and install the package debian-archive-keyring, or name its keyring by "
                    + "\(DebianMirror.keyringVariable)=FILE or 'keyring: FILE' beside the mirror",
                cause: apt.complaint,
                exit: .aborted
            )
        }
        // Such a part is Debian's as a rule, and an image without security updates is worse than none.
        let lost = apt.unread.filter { target in tails.contains { target.release.hasSuffix($0) } }
        guard !lost.isEmpty else { return }
        throw KilnError(
            .bakeNoMirror,
            "apt on this host can't read \(unique(lost.map(\.title)).joined(separator: ", "))",
            hint: "try 'apt-get update'; or \(DebianMirror.advice)",
            cause: apt.complaint,
            exit: .aborted
        )
    }

    private static func list(_ apt: HostApt) -> String {
        let all = unique(
            apt.targets.map { target in
                guard let about = target.about else { return "\(target.title), which it can't read" }
                return "\(target.title) of \(about.origin.map { Name.quoted($0) } ?? "nobody")"
            }
        )
        return all.isEmpty ? "none at all" : all.joined(separator: ", ")
    }

    private static func unique(_ texts: [String]) -> [String] {
        texts.reduce(into: []) { found, text in if !found.contains(text) { found.append(text) } }
    }
}

/// What the host calls itself.
enum HostRelease {
    static var title: String? {
        let text = FileManager.default.contents(atPath: "/etc/os-release").map { String(decoding: $0, as: UTF8.self) }
        let line = text?.split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
        return line.map { $0.dropFirst("PRETTY_NAME=".count).trimmingCharacters(in: ["\"", "'", " "]) }
    }
}
