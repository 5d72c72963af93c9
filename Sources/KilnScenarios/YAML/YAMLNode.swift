/// A place in a file, as editors count: both from 1, columns in Unicode scalars.
public struct Position: Sendable, Hashable, Comparable {
    /// The line, from 1.
    public let line: Int
    /// The column, from 1.
    public let column: Int

    /// A place by line and column.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// Order of reading.
    public static func < (left: Position, right: Position) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A part of a YAML document that knows where it stands.
struct YAMLNode: Sendable, Hashable {
    struct Entry: Sendable, Hashable {
        let key: String
        let position: Position
        let value: YAMLNode
    }

    enum Content: Sendable, Hashable {
        case scalar(YAMLScalar)
        case list([YAMLNode])
        case map([Entry])
        /// Already reported; whoever expected something else here says nothing more.
        case broken
    }

    let position: Position
    let content: Content

    /// The part in words, for "found …".
    var found: String {
        switch content {
        case .scalar(let scalar): scalar.found
        case .list(let elements): elements.isEmpty ? "an empty list" : "a list"
        case .map(let entries): entries.isEmpty ? "an empty map" : "a map"
        case .broken: "something unreadable"
        }
    }
}
