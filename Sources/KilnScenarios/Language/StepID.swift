/// Which step of a run: numbers from 1 along the tree, such as `3.2.1`.
public struct StepID: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The numbers, outermost first.
    public let numbers: [Int]

    init(_ numbers: [Int]) { self.numbers = numbers }

    /// The tree itself, whose children are the steps of the scenario.
    static let root = StepID([])

    /// One of the steps below it.
    func child(_ number: Int) -> StepID { StepID(numbers + [number]) }

    /// The step that holds it; the tree itself for those of the scenario.
    public var parent: StepID { StepID(Array(numbers.dropLast())) }

    /// How deep it stands, from 1.
    public var depth: Int { numbers.count }

    /// The numbers with dots between them.
    public var description: String { numbers.map(String.init).joined(separator: ".") }

    /// Reads an id that was written.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        numbers = text.split(separator: ".").compactMap { Int($0) }
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
