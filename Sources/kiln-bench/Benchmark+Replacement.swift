import Foundation
import KilnHost
import KilnModel
import KilnStore

extension Benchmark {
    private static let volumeSize = ByteCount(bytes: 256 << 20)

    /// Replaces a server of one image by its other version and back, in each way in turn.
    func measureReplacements(_ part: Part, _ processor: RawMachine.Processor) async throws -> ReplacementComparison {
        let versions = try ["1", "2"].map { try images.resolve(try ImageReference("\(part.image):\($0)")) }
        let port = try freePort()
        let script = try Script(processor: processor, home: kiln.home, port: port, patience: Benchmark.patience)
        let lab = try kiln.lab("bench-replace", image: versions[0], port: port, volume: Benchmark.volumeSize)
        say("\(part.image): 'kiln up' of a server with a volume")
        _ = try await kiln.up(lab, within: Benchmark.patience)
        try await kiln.stop(lab)
        var comparison = ReplacementComparison(image: part.image)
        let runs = runs ?? part.runs
        for number in 0..<runs {
            // Who goes first alternates, as with the boots.
            let ways: [Way] =
                number.isMultiple(of: 2) ? [.script, .stopFirst, .warmFirst] : [.warmFirst, .stopFirst, .script]
            var isOn = false
            for (index, way) in ways.enumerated() {
                say("\(part.image) \(number + 1)/\(runs): \(way.rawValue)")
                let sample: ReplacementSample
                if let strategy = Strategy(rawValue: way.rawValue) {
                    if !isOn { try await kiln.start(lab, within: Benchmark.patience) }
                    isOn = true
                    // A run has two replacements of kiln's: there and back.
                    let isThere = ways.firstIndex { $0 != .script } == index
                    sample = try await replace(lab, by: versions[isThere ? 1 : 0], strategy, port)
                } else {
                    if isOn { try await kiln.stop(lab) }
                    isOn = false
                    // The daemon ends by itself when it was idle for a while; this makes sure that one runs.
                    _ = try await kiln.ps()
                    sample = try await script.replaceSoundly(versions[0], by: versions[1], volume: Benchmark.volumeSize)
                }
                say("  \(sample)")
                comparison.samples[way, default: []].append(sample)
            }
            if isOn { try await kiln.stop(lab) }
        }
        try await kiln.down(lab)
        return comparison
    }

    private func replace(_ lab: Kiln.Lab, by image: StoredImage, _ strategy: Strategy, _ port: UInt16) async throws
        -> ReplacementSample
    {
        let client = ServiceClient(port: port)
        defer { _ = client.stop() }
        let old = try await client.firstAnswer(within: Benchmark.patience)
        try await client.settle()
        let wall = try await kiln.replace(lab, by: image, strategy, within: Benchmark.patience)
        _ = try await client.firstAnswer(within: .seconds(10), where: { $0 != old })
        try await client.settle()
        return ReplacementSample(
            wall: wall / .seconds(1),
            seen: try Unavailability(client.stop(), old: old),
            steps: try await kiln.steps(of: lab)
        )
    }

    // Both, one after the other, publish the same port.
    func freePort() throws -> UInt16 {
        try freePorts(1)[0]
    }

    /// So many ports that nobody has.
    func freePorts(_ count: Int) throws -> [UInt16] {
        let ports = LoopbackPorts()
        let free = Array(ports.choice.lazy.filter { ports.isFree($0, .tcp) }.prefix(count))
        guard free.count == count else { throw Failure("127.0.0.1 has \(free.count) free ports, \(count) are needed") }
        return free
    }
}
