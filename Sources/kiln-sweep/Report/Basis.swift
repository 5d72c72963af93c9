/// What results rest on; with something else, a cell is run again.
struct Basis: Sendable {
    /// The digests of the kiln that is tried, of this program, and of the images.
    let programs: String
    /// That of the tests, which are a program of their own.
    let tests: String
    /// How many power cuts are looked at in each recording, and the bug that is planted there.
    let states: Int
    let plant: String?

    /// What the result of a cell rests on.
    func of(_ cell: String) -> String {
        switch CellResult(cell: cell).tier {
        case "schedules": "\(programs)-\(tests)"
        case "power-cuts": "\(programs)-states-\(states)" + (plant.map { "-" + $0 } ?? "")
        default: programs
        }
    }
}
