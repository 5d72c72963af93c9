import KilnDocuments
import KilnModel

/// One step of a scenario: what it does, where it stands, and what is said about how it is done.
public struct PlacedStep: Sendable, CustomStringConvertible {
    /// The word of its kind.
    public let kind: String
    /// Where it stands.
    public let place: StepPlace
    /// How it is done.
    let attributes: StepAttributes
    /// What it does.
    let action: any StepAction

    /// The step in the words of the file, or what the file calls it; for reports.
    public var description: String { attributes.name ?? action.summary }

    /// The steps that it holds.
    public var children: [PlacedStep] { action.children }

    /// What goes wrong at moments of it, in words.
    public var faults: [String] { attributes.during.map(\.description) }

    /// It and all the steps that it holds, at any depth; also those for its end.
    var all: [PlacedStep] { [self] + (children + attributes.finally).flatMap(\.all) }

    /// How many steps are performed at most, where each is done once.
    ///
    /// A product of many repetitions is cut off before it overflows.
    var performances: Int {
        let inner = children.reduce(0) { min($0 + $1.performances, PlacedStep.most + 1) }
        let last = attributes.finally.reduce(0) { min($0 + $1.performances, PlacedStep.most + 1) }
        let times = action.rounds * (attributes.retry?.times ?? 1)
        return min(
            1 + last + min(times, PlacedStep.most + 1) * min(max(inner, 1), PlacedStep.most + 1),
            PlacedStep.most + 1
        )
    }

    /// The most steps that one run performs.
    static let most = 100_000
}

/// Where a step stands.
public struct StepPlace: Sendable, Hashable, Codable {
    /// The file as the user named it.
    public let file: String
    /// The line, from 1.
    public let line: Int
    /// The column, from 1.
    public let column: Int
    /// The field, such as `steps[2]`.
    public let path: String

    init(_ value: Value) {
        file = value.problems.file
        line = value.node.position.line
        column = value.node.position.column
        path = value.path
    }

    /// The place for the list of problems.
    var position: Position { Position(line: line, column: column) }
}
