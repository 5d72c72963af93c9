/// Everything on a root file system, by path; kept beside an image as the file `paths`.
///
/// Written by a process that reads a hostile file system, so what is read here may be anything: a listing is accepted
/// whole or not at all.
///
/// ```
/// kiln-root 1
/// package NAME VERSION                             a Debian package that is installed
/// KIND MODE USER GROUP SIZE VALUE ATTRIBUTES PATH  see RootEntry
/// end COUNT                                        how many lines lie between the first and this
/// ```
public struct RootListing: Sendable, Hashable {
    /// The entries by path.
    public let entries: [RootPath: RootEntry]
    /// The versions of the installed Debian packages, by name and, where it is not the system's own, architecture.
    public let packages: [String: String]

    /// The first line.
    public static let header = "kiln-root 1"
    /// The most entries that are accepted.
    public static let mostEntries = 2_000_000

    /// A listing from its parts.
    public init(entries: [RootPath: RootEntry], packages: [String: String]) {
        self.entries = entries
        self.packages = packages
    }

    /// The last line of a listing with that many lines in between.
    public static func footer(_ count: Int) -> String { "end \(count)" }

    /// The line of a package.
    public static func line(package name: [UInt8], version: [UInt8]) -> String {
        "package \(RootPath.escaped(name)) \(RootPath.escaped(version))"
    }

    /// Reads a listing.
    ///
    /// - Throws: `KilnError` with code `drift.listing-damaged`, which names the line.
    public init(_ bytes: some Collection<UInt8>, of subject: String) throws {
        let lines = bytes.split(separator: 0x0a)
        guard let first = lines.first, first.elementsEqual(RootListing.header.utf8), lines.count >= 2,
            let last = lines.last, last.elementsEqual(RootListing.footer(lines.count - 2).utf8)
        else { throw RootListing.damaged(subject, "its first or last line is missing") }
        guard lines.count - 2 <= RootListing.mostEntries else { throw RootListing.damaged(subject, "it is too long") }
        var entries: [RootPath: RootEntry] = [:]
        entries.reserveCapacity(lines.count)
        var packages: [String: String] = [:]
        for (number, line) in lines.enumerated().dropFirst().dropLast() {
            let fields = line.split(separator: 0x20, omittingEmptySubsequences: false)
                .map { Substring(decoding: $0, as: UTF8.self) }
            if let (path, entry) = RootListing.entry(fields) {
                guard entries.updateValue(entry, forKey: path) == nil else {
                    throw RootListing.damaged(subject, "line \(number + 1) names a path again")
                }
            } else if fields.count == 3, fields[0] == "package" {
                packages[String(fields[1])] = String(fields[2])
            } else {
                throw RootListing.damaged(subject, "line \(number + 1) is none of a listing")
            }
        }
        self.init(entries: entries, packages: packages)
    }

    /// Where a path leads: the links among the directories above it are followed; the path itself only as a mount does it.
    ///
    /// After 40 links, as many as Linux follows, the rest is taken as it is.
    public func location(of path: RootPath, followingLast: Bool = false) -> RootPath {
        var pending = path.names[...]
        var location = RootPath.root
        var followed = 0
        while let name = pending.popFirst() {
            if name.isEmpty || name == [0x2e] { continue }
            if name == [0x2e, 0x2e] {
                location = location.parent ?? .root
                continue
            }
            let next = location.appending(name)
            guard followingLast || !pending.isEmpty, followed < 40, let entry = entries[next], entry.kind == .link,
                let target = RootPath.unescaped((entry.value ?? "").utf8)
            else {
                location = next
                continue
            }
            followed += 1
            if target.first == 0x2f { location = .root }
            pending = target.split(separator: 0x2f).map(Array.init) + pending
        }
        return location
    }

    private static func entry(_ fields: [Substring]) -> (RootPath, RootEntry)? {
        guard fields.count == 8, let path = RootPath(String(fields[7])),
            let entry = RootEntry(fields: Array(fields[..<7]))
        else { return nil }
        return (path, entry)
    }

    private static func damaged(_ subject: String, _ why: String) -> KilnError {
        KilnError(
            .driftListingDamaged,
            "the listing of \(subject) can't be read: \(why)",
            hint: "try again; for an image, 'kiln image verify' tells whether it was changed"
        )
    }
}
