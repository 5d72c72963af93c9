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
package struct YAMLNode: Sendable, Hashable {
    /// A key with its value.
    package struct Entry: Sendable, Hashable {
        package let key: String
        package let position: Position
        package let value: YAMLNode

        package init(key: String, position: Position, value: YAMLNode) {
            self.key = key
            self.position = position
            self.value = value
        }
    }

    /// What stands there.
    package enum Content: Sendable, Hashable {
        case scalar(YAMLScalar)
        case list([YAMLNode])
        case map([Entry])
        /// Already reported; whoever expected something else here says nothing more.
        case broken
    }

    package let position: Position
    package let content: Content

    package init(position: Position, content: Content) {
        self.position = position
        self.content = content
    }

    /// The part in words, for "found …".
    package var found: String {
        switch content {
        case .scalar(let scalar): scalar.found
        case .list(let elements): elements.isEmpty ? "an empty list" : "a list"
        case .map(let entries): entries.isEmpty ? "an empty map" : "a map"
        case .broken: "something unreadable"
        }
    }
}
