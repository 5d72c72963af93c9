import Foundation
import KilnModel
import KilnStore

extension Benchmark {
    /// So that fewer than a front holds come while a Debian boots.
    private static let holdInterval = Duration.milliseconds(50)
    private static let holdPatience = Duration.seconds(90)
    private static let health = Array("GET /health HTTP/1.0\r\n\r\n".utf8)

    /// Replaces a server whose front holds requests by a new machine of the same image, by either strategy in turn.
    func measureHolding() async throws -> Holding {
        let part = Part.hold
        let image = try image(part)
        let port = try freePort()
        let lab = try kiln.holdLab("bench-hold", image: image, port: port)
        say("\(part.image): 'kiln up'")
        _ = try await kiln.up(lab, within: Benchmark.patience)
        var holding = Holding(image: Benchmark.title(image))
        let runs = runs ?? part.runs
        for number in 0..<runs {
            say("\(part.image) \(number + 1)/\(runs): warm-first")
            holding.warmFirst.append(try await hold(lab, image, .warmFirst, port))
            say("\(part.image) \(number + 1)/\(runs): stop-first")
            holding.stopFirst.append(try await hold(lab, image, .stopFirst, port))
        }
        try await kiln.stop(lab)
        try await kiln.down(lab)
        return holding
    }

    private func hold(_ lab: Kiln.Lab, _ image: StoredImage, _ strategy: Strategy, _ port: UInt16) async throws
        -> Holding.Sample
    {
        let watched = try await OpenLoopClient.watching(
            port: port,
            every: Benchmark.holdInterval,
            patience: Benchmark.holdPatience,
            request: { _ in Benchmark.health }
        ) {
            _ = try await kiln.replace(lab, by: image, strategy, within: Benchmark.patience)
        }
        let steps = try await kiln.steps(of: lab)
        let closed = Holding.closing.compactMap { steps[$0] }.reduce(0, +)
        let sample = Holding.Sample(seen: RolloutSample(watched), closed: Double(closed) / 1_000)
        say(
            "  \(sample.seen); closed \(sample.closed) s, longest \(sample.longestRatio), slowest \(sample.slowestRatio)"
        )
        return sample
    }
}
