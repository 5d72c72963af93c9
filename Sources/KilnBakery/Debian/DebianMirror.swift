import KilnModel

/// Where Debian is, as a recipe or the environment names it instead of the host's apt.
enum DebianMirror {
    /// The variables that name a mirror and a keyring for recipes that name none.
    static let variable = "KILN_DEBIAN_MIRROR"
    static let keyringVariable = "KILN_DEBIAN_KEYRING"
    /// Who has no mirror is told this.
    static let advice =
        "name a mirror of Debian: \(variable)=URL in the environment, or 'mirror: URL' below 'debian' in the recipe"

    static let expected = "a mirror's URL, or a line 'deb URL SUITE COMPONENT…'"

    /// A URL, or a line of a `sources.list`, in one line; nothing if it is neither.
    static func accepted(_ text: String) -> String? {
        guard text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else { return nil }
        let words = text.split(separator: " ").map(String.init)
        guard words.first == "deb" else { return words == [text] && isURL(text) ? text : nil }
        let isOption = { (word: String) in word.hasPrefix("[") || word.hasSuffix("]") || word.contains("=") }
        guard let place = words.indices.dropFirst().first(where: { !isOption(words[$0]) }) else { return nil }
        return isURL(words[place]) && words.count >= place + 3 ? text : nil
    }

    private static func isURL(_ text: String) -> Bool { text.wholeMatch(of: /[a-z][a-z0-9+]*:\/[^\s\[\]"]+/) != nil }

    /// The lines of a `sources.list` for a suite.
    ///
    /// A mirror has the release and its updates; one whose path has a component `debian-security` has the security updates.
    /// A line of a `sources.list` stays as it is.
    static func lines(_ mirrors: [String], suite: String) -> [String] {
        mirrors.flatMap { mirror in
            let mirror = copied(mirror)
            if mirror.hasPrefix("deb ") { return [mirror] }
            let isSecurity = mirror.split(separator: "/").contains("debian-security")
            let tails = isSecurity ? ["-security"] : DebianSources.tails(of: suite, among: ["", "-updates"])
            return tails.map { "deb \(mirror) \(suite)\($0) main" }
        }
    }

    /// What stands for the day in a mirror's URL.
    static let gap = "{snapshot}"

    /// Mirrors that have the packages of a day, as lines of a `sources.list`: those that are named, with `{snapshot}` in them filled
    /// in; where none is, Debian's snapshot archive.
    ///
    /// What a release says of how long it is valid is over soon: a day is asked for because it is past.
    static func ofSnapshot(_ snapshot: SnapshotDate?, mirrors: [String], suite: String) -> [String] {
        guard let snapshot else { return mirrors }
        let archives = ["debian", "debian-security"].map { "https://snapshot.debian.org/archive/\($0)/\(gap)" }
        let filled = (mirrors.isEmpty ? archives : mirrors).map { $0.replacing(gap, with: snapshot.stamp) }
        return lines(filled, suite: suite).map(everValid)
    }

    private static func everValid(_ line: String) -> String {
        guard !line.contains("check-valid-until=") else { return line }
        let rest = line.dropFirst("deb ".count).drop { $0 == " " }
        return rest.hasPrefix("[")
            ? "deb [check-valid-until=no " + rest.dropFirst() : "deb [check-valid-until=no] " + rest
    }

    /// Why a recipe with a day can't have its packages from a mirror, if it can't.
    static func unpinned(_ mirrors: [String], on snapshot: SnapshotDate) -> String? {
        let day = snapshot.description.replacing("-", with: "")
        return mirrors.first { !$0.contains(gap) && !$0.contains(day) }.map {
            "the mirror \(Name.quoted($0)) has no '\(gap)' for the day of 'snapshot', so nothing would be pinned: "
                + "put it where the archive's URL has the day, or leave 'snapshot' out"
        }
    }

    /// From a folder of the host packages are copied: in the tree, where they are installed, is no such folder.
    static func copied(_ mirror: String) -> String { mirror.replacing(/(^| )file:/) { "\($0.1)copy:" } }

    /// The value of ``variable``: URLs with spaces between them.
    ///
    /// - Throws: `KilnError` with code `bake.no-mirror`.
    static func named(in text: String) throws -> [String] {
        let mirrors = text.split(whereSeparator: \.isWhitespace).map(String.init)
        for mirror in mirrors where !isURL(mirror) {
            throw KilnError(
                .bakeNoMirror,
                "\(variable) has \(Name.quoted(mirror)), expected the URLs of mirrors, with spaces between them",
                hint:
                    "compare with a mirror of apt's: 'apt-get indextargets --no-release-info --format \"$(REPO_URI)\"'",
                exit: .usage
            )
        }
        return mirrors
    }
}
