/// What differs between two listings.
public struct RootDifference: Sendable, Hashable {
    /// Paths of the second that the first has not.
    public let added: [RootPath]
    /// Paths of both that differ.
    public let modified: [DriftReport.Modification]
    /// Paths of the first that the second has not.
    public let deleted: [RootPath]
    /// Packages that differ.
    public let packages: [DriftReport.PackageChange]
    /// Paths below a mount point that the second has and the first has not, or not with that content: volumes hide them.
    public let hidden: [RootPath]

    /// No difference.
    public init() { (added, modified, deleted, packages, hidden) = ([], [], [], [], []) }

    /// What was declared of paths that may differ.
    public struct Allowance: Sendable, Hashable {
        /// Paths that don't count, with everything below.
        public var ephemeral: [RootPath]
        /// Where volumes are mounted: what is there is not the root's.
        public var mounts: [RootPath]
        /// Files that the machine's metadata writes; a regular file with that content is as it should be.
        public var declared: [RootPath: DeclaredFile]

        /// An allowance from its parts.
        public init(
            ephemeral: [RootPath] = [],
            mounts: [RootPath] = [],
            declared: [RootPath: DeclaredFile] = [:]
        ) {
            self.ephemeral = ephemeral
            self.mounts = mounts
            self.declared = declared
        }

        /// The same with the paths at which the root of that image has them.
        public func located(in image: RootListing) -> Allowance {
            let located = declared.map { (image.location(of: $0.key), $0.value) }
            return Allowance(
                ephemeral: ephemeral.map { image.location(of: $0) },
                mounts: mounts.map { image.location(of: $0, followingLast: true) },
                declared: Dictionary(located) { _, last in DeclaredFile(content: nil, mode: nil, isRoots: last.isRoots)
                }
            )
        }
    }

    /// A file that the metadata of a machine writes; nothing in a field where it can't be known beforehand.
    public struct DeclaredFile: Sendable, Hashable {
        /// The sha256 of its content in hexadecimal digits.
        public let content: String?
        /// Its permission bits.
        public let mode: UInt16?
        /// Whether it belongs to the guest's root.
        public let isRoots: Bool

        /// A declared file from its parts.
        public init(content: String?, mode: UInt16?, isRoots: Bool) {
            self.content = content
            self.mode = mode
            self.isRoots = isRoots
        }

        /// In what an entry is not as it was declared.
        func aspects(of entry: RootEntry) -> [DriftReport.Aspect] {
            guard entry.kind == .file else { return [.type] }
            var aspects: [DriftReport.Aspect] = []
            if let content, content != entry.value { aspects.append(.content) }
            if let mode, mode != entry.mode { aspects.append(.mode) }
            if isRoots && (entry.user != 0 || entry.group != 0) { aspects.append(.owner) }
            return aspects
        }
    }

    /// Compares a root with its image.
    ///
    /// A directory that had to be made for a mount point or a declared file is no drift.
    public init(from image: RootListing, to root: RootListing, allowing allowance: Allowance = Allowance()) {
        // People write '/bin/tool' and '/var/run', and the root has '/usr/bin/tool' and '/run'.
        let allowance = allowance.located(in: image)
        let ignored = Set(allowance.ephemeral + allowance.mounts)
        let needed = Set((allowance.mounts + allowance.declared.keys).flatMap(RootDifference.ancestors))
        var added: [RootPath] = []
        var modified: [DriftReport.Modification] = []
        for (path, entry) in root.entries where !RootDifference.covers(ignored, path) {
            if let declared = allowance.declared[path] {
                let what = declared.aspects(of: entry)
                if !what.isEmpty { modified.append(DriftReport.Modification(path: path, what: what)) }
                continue
            }
            guard let original = image.entries[path] else {
                if entry.kind != .directory || !needed.contains(path) { added.append(path) }
                continue
            }
            let what = entry.aspects(differingFrom: original)
            if !what.isEmpty { modified.append(DriftReport.Modification(path: path, what: what)) }
        }
        let expected = Set(image.entries.keys).union(allowance.declared.keys)
        let gone = expected.filter { root.entries[$0] == nil && !RootDifference.covers(ignored, $0) }
        self.added = added.sorted()
        self.modified = modified.sorted { $0.path < $1.path }
        deleted = gone.sorted()
        packages = RootDifference.packages(from: image.packages, to: root.packages)
        hidden = RootDifference.hidden(in: root, image, allowance)
    }

    /// What a root has below its mount points and its image has not, whatever else was or was not listed of the root.
    public static func hidden(
        in root: RootListing,
        of image: RootListing,
        allowing allowance: Allowance
    ) -> [RootPath] { hidden(in: root, image, allowance.located(in: image)) }

    // The directories of mount points are made for them, and their flags are the guard's. What the lab file or the image
    // declares ephemeral counts all the same, unless it lies below the mount point itself.
    private static func hidden(in root: RootListing, _ image: RootListing, _ allowance: Allowance) -> [RootPath] {
        let mounts = Set(allowance.mounts)
        let made = mounts.union(allowance.mounts.flatMap(ancestors))
        let ephemeral = Set(allowance.ephemeral.filter { covers(mounts, $0) })
        return root.entries.filter { path, entry in
            guard covers(mounts, path), !covers(ephemeral, path),
                entry.kind != .directory || !made.contains(path)
            else { return false }
            return image.entries[path].map { !entry.hasSameContent(as: $0) } ?? true
        }.keys.sorted()
    }

    private static func packages(
        from image: [String: String],
        to root: [String: String]
    ) -> [DriftReport.PackageChange] {
        Set(image.keys).union(root.keys).sorted().compactMap { name in
            image[name] == root[name]
                ? nil : DriftReport.PackageChange(name: name, from: image[name], to: root[name])
        }
    }

    private static func ancestors(_ path: RootPath) -> [RootPath] {
        Array(sequence(first: path, next: \.parent).dropFirst())
    }

    private static func covers(_ ignored: Set<RootPath>, _ path: RootPath) -> Bool {
        sequence(first: path, next: \.parent).contains { ignored.contains($0) }
    }
}

extension RootEntry {
    /// Whether nothing but its owner, mode and attributes may differ from `original`.
    fileprivate func hasSameContent(as original: RootEntry) -> Bool {
        Set(aspects(differingFrom: original)).isSubset(of: [.mode, .owner, .attributes])
    }

    /// In what it differs from `original`.
    ///
    /// A file whose content was not read counts as different: nothing is known of it.
    func aspects(differingFrom original: RootEntry) -> [DriftReport.Aspect] {
        guard kind == original.kind, kind != .damaged else { return [.type] }
        var aspects: [DriftReport.Aspect] = []
        if size != original.size { aspects.append(.size) }
        switch kind {
        case .file: if value == nil || value != original.value { aspects.append(.content) }
        case .link: if value != original.value { aspects.append(.target) }
        case .character, .block: if value != original.value { aspects.append(.device) }
        case .directory, .pipe, .socket, .damaged: break
        }
        if mode != original.mode { aspects.append(.mode) }
        if user != original.user || group != original.group { aspects.append(.owner) }
        if attributes != original.attributes { aspects.append(.attributes) }
        return aspects
    }
}
