import Foundation

/// How a server is replaced.
enum Way: String, Sendable, Codable, CodingKeyRepresentable, CaseIterable {
    case script
    case stopFirst = "stop-first"
    case warmFirst = "warm-first"
}

/// One replacement and what a client saw of it.
struct ReplacementSample: Sendable, Codable {
    /// From the command to its end, in seconds; of the script, to the new machine's first answer.
    let wall: Double
    let seen: Unavailability
    /// The journaled steps of kiln's, or the phases of the script, in milliseconds.
    let steps: [String: Int]
}

/// The replacements of one image's server, in the order in which they were made.
struct ReplacementComparison: Sendable, Codable {
    let image: String
    var samples: [Way: [ReplacementSample]] = [:]

    /// The longest times without an answer, in seconds.
    func longest(_ way: Way) -> Summary? { Summary((samples[way] ?? []).map(\.seen.longest)) }

    /// The times from the old machine's last answer to the new one's first, in seconds.
    func between(_ way: Way) -> Summary? { Summary((samples[way] ?? []).map(\.seen.between)) }

    /// The times of the commands, in seconds.
    func wall(_ way: Way) -> Summary? { Summary((samples[way] ?? []).map(\.wall)) }

    /// The medians of the steps that took at least 10 ms, in milliseconds.
    func steps(_ way: Way) -> [String: Double] {
        let samples = samples[way] ?? []
        return Set(samples.flatMap(\.steps.keys)).reduce(into: [:]) { steps, name in
            steps[name] = Summary(samples.compactMap { $0.steps[name].map(Double.init) })?.median
        }
        .filter { $0.value >= 10 }
    }

    /// By how much one way's longest time without an answer is the other's.
    func ratio(_ way: Way, to other: Way) -> Double? {
        guard let one = longest(way), let two = longest(other), two.median > 0 else { return nil }
        return one.median / two.median
    }
}
