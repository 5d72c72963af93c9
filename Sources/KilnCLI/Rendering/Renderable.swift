import Foundation

/// What people see of a result.
enum HumanView: Sendable, Equatable {
    /// Columns; `empty` is said instead where there are no rows.
    case table(TextTable, empty: String)
    /// Lines as they are.
    case lines([String])
    /// A text that ends with a line break.
    case text(String)
}

/// A result that every format can show; the payload for programs is separate from what people see.
protocol Renderable: Sendable {
    associatedtype Payload: Encodable
    /// What programs read.
    var payload: Payload { get }
    /// What people read.
    var human: HumanView { get }
}

/// Turns results into text.
enum Renderer {
    /// The text of a result, ending with a line break unless it is empty.
    static func text(_ result: some Renderable, as format: OutputFormat) throws -> String {
        switch format {
        case .table: human(result.human)
        case .json: try json(result.payload)
        case .ndjson: try line(result.payload)
        }
    }

    /// A JSON document with sorted keys.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }

    /// A JSON document with sorted keys, on one line.
    static func line(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }

    private static func human(_ view: HumanView) -> String {
        switch view {
        case .table(let table, let empty): table.rows.isEmpty ? empty + "\n" : join(table.lines)
        case .lines(let lines): join(lines)
        case .text(let text): text
        }
    }

    private static func join(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }
}
