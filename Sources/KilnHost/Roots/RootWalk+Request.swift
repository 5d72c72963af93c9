import KilnModel

extension RootWalk {
    /// What is written to standard output, if anything.
    enum Request: CustomStringConvertible {
        /// The listing of what lies below some paths, and of what leads there; none means everything.
        case list(below: [RootPath])
        /// The content of a file that has no more bytes than that.
        case read(RootPath, limit: Int)
        /// Everything, as a tar archive.
        case archive
        /// Nothing: of every inode, the times are changed that lie after that second.
        case clampTimes(to: Int64)

        var arguments: [String] {
            switch self {
            case .list(let paths): ["list"] + paths.map(\.text)
            case .read(let path, let limit): ["read", path.text, String(limit)]
            case .archive: ["archive"]
            case .clampTimes(let epoch): ["clamp-times", String(epoch)]
            }
        }

        init?(_ arguments: ArraySlice<String>) {
            let (words, paths) = (Array(arguments), arguments.dropFirst().map { RootPath($0) })
            switch words.first {
            case nil: self = .list(below: [])
            case "list" where !paths.contains(nil): self = .list(below: paths.compactMap { $0 })
            case "read" where words.count == 3:
                guard let path = paths[0], let limit = Int(words[2]) else { return nil }
                self = .read(path, limit: limit)
            case "archive" where words.count == 1: self = .archive
            case "clamp-times" where words.count == 2:
                guard let epoch = Int64(words[1]) else { return nil }
                self = .clampTimes(to: epoch)
            default: return nil
            }
        }

        /// Whether the file system is changed; it is one that was just made then.
        var changesTimes: Bool {
            if case .clampTimes = self { true } else { false }
        }

        /// The most bytes that may be written, counted from the start of a file.
        var longestOutput: UInt64 {
            switch self {
            case .list, .read: 1 << 29
            // Less would do for any root that fits on this host: how much comes out is bounded by the file system's size.
            case .archive: 1 << 40
            case .clampTimes: 1 << 44
            }
        }

        var description: String {
            switch self {
            case .list(let paths): paths.map(\.description).joined(separator: ", ")
            case .read(let path, _): path.description
            case .archive, .clampTimes: "/"
            }
        }
    }
}
