/// Rows in aligned columns; the last column is never padded.
struct TextTable: Sendable, Equatable {
    let header: [String]
    var rows: [[String]]

    /// The lines: header in capitals, two blanks between columns.
    var lines: [String] {
        let all = ([header.map { $0.uppercased() }] + rows).map { $0.map(ConsoleText.singleLine) }
        let widths = header.indices.map { column in all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return all.map { row in
            let cells = row.enumerated().map { index, cell in
                index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
            }
            return cells.joined(separator: "  ")
        }
    }
}
