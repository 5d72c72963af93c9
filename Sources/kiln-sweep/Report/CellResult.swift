import Foundation
import KilnOutside

/// What one cell found; a line of the results file.
struct CellResult: Codable, Sendable {
    /// The cell, such as `failpoints/stop-first/handover.after/kill`.
    let cell: String
    /// What was tried, so that another build's results are not taken for this one's: see ``Basis``.
    var basis = ""
    var acknowledged = 0
    var lost = 0
    /// How often two machines had a volume open for writing, or two answered.
    var bothServing = 0
    /// How often no machine served after the next command.
    var neitherServing = 0
    /// How often more members were out than the rollout allows; nothing where there is none.
    var tooManyOut: Int?
    /// What was left behind.
    var leftovers: [String] = []
    /// Every other promise that was not kept, in a sentence.
    var broken: [String] = []
    /// What happened, for people: exit codes, seeds.
    var notes: [String] = []
    /// Why the fault did not happen; the cell was not tried then.
    private(set) var missed: String?
    /// How many states or lives it stands for.
    var runs = 1
    var seconds = 0.0

    /// A number that differs from cell to cell, but is the same whenever the cell is run.
    var variant: Int { cell.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff } / 7 }

    var tier: String { cell.split(separator: "/").first.map(String.init) ?? cell }
    var isClean: Bool {
        lost == 0 && bothServing == 0 && neitherServing == 0 && (tooManyOut ?? 0) == 0 && leftovers.isEmpty
            && broken.isEmpty && missed == nil
    }

    init(cell: String) { self.cell = cell }

    /// Says that the fault did not happen.
    mutating func miss(_ reason: String) {
        missed = reason
        runs = 0
    }
}

/// The file of finished cells: JSON lines, appended as they end, so that a sweep goes on where it was interrupted.
struct ResultFile: Sendable {
    let path: String
    let basis: Basis

    /// What cells have found on this basis; the latest result of each.
    func finished() -> [String: CellResult] {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let decoder = JSONDecoder()
        // A line that was cut off is a cell that has not ended.
        let all = text.split(separator: "\n").compactMap {
            try? decoder.decode(CellResult.self, from: Data($0.utf8))
        }
        return Dictionary(all.filter { $0.basis == basis.of($0.cell) }.map { ($0.cell, $0) }, uniquingKeysWith: { $1 })
    }

    func append(_ result: CellResult) throws {
        var own = result
        own.basis = basis.of(result.cell)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Failure("\(path) can't be opened: \(String(cString: strerror(errno)))") }
        defer { close(file) }
        let bytes = [UInt8(ascii: "\n")] + [UInt8](try encoder.encode(own)) + [UInt8(ascii: "\n")]
        guard write(file, bytes, bytes.count) == bytes.count else { throw Failure("\(path) can't be written") }
    }
}
