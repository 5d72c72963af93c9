import Foundation
import KilnModel
import KilnSystem

/// Where packages come from: the mirrors that the host's own apt is configured with, for another suite.
public enum DebianSources {
    /// Lines for a `sources.list` of `suite`.
    ///
    /// The host's own suite names are what apt says it uses; those that belong to the host's release are renamed, so that
    /// `bookworm-security` becomes `trixie-security`. Other archives, such as a vendor's, are left out.
    /// - Throws: `KilnError` with code `bake.no-mirror`.
    public static func lines(for suite: String) async throws -> [String] {
        let own = try hostSuite()
        let targets = try await Command.bake(
            "apt-get",
            ["indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]
        ).lines()
        let found = lines(targets: targets, own: own, suite: suite)
        guard !found.isEmpty else {
            throw KilnError(
                .bakeNoMirror,
                "apt on this host has no archive of \(own), so there is no mirror to take \(suite) from",
                hint: "see /etc/apt/sources.list.d; a recipe names the suite and apt the mirror"
            )
        }
        return found
    }

    static func lines(targets: [String], own: String, suite: String) -> [String] {
        var found: [String] = []
        for target in targets {
            let fields = target.split(separator: " ").map(String.init)
            guard fields.count == 3, fields[1] == own || fields[1].hasPrefix(own + "-") else { continue }
            let line = "deb \(fields[0]) \(suite)\(fields[1].dropFirst(own.count)) \(fields[2])"
            if !found.contains(line) { found.append(line) }
        }
        return found
    }

    private static func hostSuite() throws -> String {
        let text = FileManager.default.contents(atPath: "/etc/os-release").map { String(decoding: $0, as: UTF8.self) }
        let line = text?.split(separator: "\n").first { $0.hasPrefix("VERSION_CODENAME=") }
        guard let suite = line?.split(separator: "=").last.map({ $0.trimmingCharacters(in: ["\"", " "]) }) else {
            throw KilnError(
                .bakeNoMirror,
                "/etc/os-release names no VERSION_CODENAME, so it is unknown which of apt's archives are Debian's",
                hint: "bake on Debian, or add an image made elsewhere with 'kiln image add'"
            )
        }
        return suite
    }
}
