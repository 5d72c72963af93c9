import Foundation

/// One component of an archive, for one architecture, as the host's sources name it.
struct AptTarget: Sendable, Hashable {
    /// Of the archive, with a slash at its end.
    let uri: String
    /// The release by its code name, or by a name that moves on such as `oldstable`.
    let release: String
    let component: String
    let architecture: String
    /// Where the sources say so: `FILE:NUMBER`.
    let entry: String
    /// How the names of the release's files begin in apt's lists.
    let files: String
    /// What the archive says of itself; nothing where apt has not read that.
    var about: AptRelease?

    /// What `apt-get indextargets --format` is told.
    static let format = fields.map { "$(\($0))" }.joined(separator: "\t")
    private static let fields = [
        "REPO_URI", "RELEASE", "COMPONENT", "ARCHITECTURE", "SOURCESENTRY", "FILENAME", "METAKEY",
    ]

    /// Reads a line in ``format``; nothing where it is a warning of apt's.
    init?(_ line: String) {
        let values = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard values.count == AptTarget.fields.count else { return nil }
        (uri, release, component, architecture) = (values[0], values[1], values[2], values[3])
        entry = values[4]
        let name = values[5].split(separator: "/").last ?? ""
        // The index's own name within the release, whose slashes apt replaces.
        files = String(name.dropLast(values[6].utf8.count))
    }

    /// The archive's release, for people.
    var title: String { "\(uri) \(release)" }
}

/// What the Release file of an archive says of it.
struct AptRelease: Sendable, Hashable {
    /// Who makes it.
    let origin: String?
    /// What a release is called for its whole life.
    let codename: String?

    /// Reads the fields before the list of files; the file may be signed within itself.
    init(text: String) {
        var found: [Substring: String] = [:]
        for line in text.split(separator: "\n").prefix(while: { !$0.hasPrefix(" ") }) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            found[line[..<colon]] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        (origin, codename) = (found["Origin"], found["Codename"])
    }

    /// Reads it from a folder of apt's, who checks signatures before a file gets there.
    init?(of target: AptTarget, in lists: String) {
        let names = ["InRelease", "Release"].map { "\(lists)/\(target.files)\($0)" }
        guard let content = names.lazy.compactMap({ FileManager.default.contents(atPath: $0) }).first else {
            return nil
        }
        self.init(text: String(decoding: content, as: UTF8.self))
    }
}
