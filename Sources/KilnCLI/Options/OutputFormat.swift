import ArgumentParser

/// How a command writes what it found.
public enum OutputFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    /// Aligned columns or lines, for people.
    case table
    /// One JSON document, for programs; its keys are part of the command line's contract.
    case json
    /// One JSON document on a line; of a run or a replacement, one for every event.
    case ndjson
}
