/// Rows of cells as a table for a terminal: the first column to the left, numbers to the right.
package struct TextTable {
    private let rows: [[String]]

    /// A table whose first row is its header; all rows have as many cells.
    package init(_ rows: [[String]]) { self.rows = rows }

    /// A line for each row.
    package var lines: [String] {
        let columns = rows.first?.indices ?? [].indices
        let widths = columns.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }.joined(separator: "  ")
        }
    }
}
