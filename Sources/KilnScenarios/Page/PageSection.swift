/// One run, replacement or life of a server as a page shows it: texts only, which the template escapes.
struct PageSection: Sendable {
    /// How something ended, as people see it without its colour.
    enum Tone: String, Sendable {
        case good, bad, open

        var mark: String {
            switch self {
            case .good: "✓"
            case .bad: "✗"
            case .open: "…"
            }
        }
    }

    /// What comes first: a number or a word with what it is of.
    struct Tile: Sendable {
        let id: String
        let label: String
        let value: String
        let tone: String

        init(_ id: String, _ label: String, _ value: String, _ tone: Tone = .good) {
            self.id = id
            self.label = label
            self.value = value
            self.tone = tone.rawValue
        }
    }

    /// A line of a list: a step, or a replacement.
    struct Row: Sendable {
        let number: String
        let depth: Int
        let rowMark: String
        let rowTone: String
        let name: String
        let time: String
        let place: String
        let detail: String
    }

    /// A heading with lines of text below it.
    struct Block: Sendable {
        let head: String
        let blockTone: String
        let lines: [String]
    }

    /// Rows along one axis.
    struct Picture: Sendable {
        let ticks: [String]
        let lanes: [PageLane]
        let legend: [String]
    }

    /// A console's last lines.
    struct Console: Sendable {
        let machine: String
        let said: String
    }

    var anchor = ""
    let title: String
    let subtitle: String
    let sentence: String
    let tone: String
    let mark: String
    let tiles: [Tile]
    /// One or none.
    var pictures: [Picture] = []
    var blocks: [Block] = []
    var listHead: String
    var rows: [Row] = []
    var consoles: [Console] = []
    var notes: [String] = []

    init(title: String, subtitle: String, sentence: String, tone: Tone, tiles: [Tile], listHead: String) {
        self.title = title
        self.subtitle = subtitle
        self.sentence = sentence
        self.tone = tone.rawValue
        mark = tone.mark
        self.tiles = tiles
        self.listHead = listHead
    }
}
