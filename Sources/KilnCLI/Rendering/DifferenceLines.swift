import KilnModel

/// What differs between two roots, as people read it: groups with their counts, and the first of each.
enum DifferenceLines {
    /// The most items of a group that people are shown.
    static let most = 20

    /// The paths that differ.
    static func paths(
        added: [RootPath],
        modified: [DriftReport.Modification],
        deleted: [RootPath]
    ) -> [String] {
        group("added", added.map(\.description))
            + group("modified", modified.map { "\($0.path)  (\($0.what.map(\.rawValue).joined(separator: ", ")))" })
            + group("deleted", deleted.map(\.description))
    }

    /// The packages that differ, with their versions.
    static func packages(_ changes: [DriftReport.PackageChange]) -> [String] {
        group(
            "packages",
            changes.map { change in
                switch (change.from, change.to) {
                case (nil, let version?): "\(change.name) \(version)  (added)"
                case (let version?, nil): "\(change.name) \(version)  (removed)"
                default: "\(change.name) \(change.from ?? "") → \(change.to ?? "")"
                }
            }
        )
    }

    /// A group of a title; no lines where it is empty.
    static func group(_ title: String, _ items: [String]) -> [String] {
        guard !items.isEmpty else { return [] }
        let rest = items.count - most
        let more = rest > 0 ? ["  … and \(rest) more; '--format json' has all"] : []
        return ["\(title) \(items.count)"] + items.prefix(most).map { "  " + ConsoleText.singleLine($0) } + more
    }
}
