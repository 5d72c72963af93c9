import Foundation
import KilnModel
import KilnStore

extension Benchmark {
    private static let members = 3
    private static let volumeSize = ByteCount(bytes: 64 << 20)
    private static let rolloutPatience = Duration.seconds(1_800)

    /// Brings three members of tiny to its other version and back, in each way in turn.
    func measureRollouts(_ processor: RawMachine.Processor) async throws -> RolloutComparison {
        let part = Part.rollout
        let versions = try versions(of: part)
        let port = try freePort()
        var comparison = RolloutComparison(image: part.image, members: Benchmark.members)
        let runs = runs ?? part.runs
        for number in 0..<runs {
            // Who goes first alternates, and with it which of kiln's two goes there and which goes back.
            let ways: [RolloutWay] =
                number.isMultiple(of: 2) ? [.script, .rollout, .allAtOnce] : [.allAtOnce, .rollout, .script]
            for way in ways {
                say("\(part.image), \(Benchmark.members) members, \(number + 1)/\(runs): \(way.rawValue)")
                let sample: RolloutSample
                if way == .script {
                    sample = try await scripted(versions, processor)
                } else {
                    // A run has two rollouts of kiln's: there and back.
                    let isThere = ways.first { $0 != .script } == way
                    sample = try await rollOut(way, versions, to: isThere ? 1 : 0, port)
                }
                say("  \(sample)")
                comparison.samples[way, default: []].append(sample)
            }
        }
        try await kiln.down(try rolloutLab(.rollout, versions[0], port))
        return comparison
    }

    func versions(of part: Part) throws -> [StoredImage] {
        try ["1", "2"].map { try images.resolve(try ImageReference("\(part.image):\($0)")) }
    }

    private func scripted(_ versions: [StoredImage], _ processor: RawMachine.Processor) async throws -> RolloutSample {
        // The daemon ends by itself when it was idle for a while; this makes sure that one runs.
        _ = try await kiln.ps()
        let script = try ScriptRollout(
            processor: processor,
            home: kiln.home,
            ports: try freePorts(1 + Benchmark.members),
            patience: Benchmark.patience
        )
        return try await script.rollSoundly(versions[0], to: versions[1], volume: Benchmark.volumeSize)
    }

    // The members are on for this only; the script's have the host for themselves.
    private func rollOut(_ way: RolloutWay, _ versions: [StoredImage], to version: Int, _ port: UInt16) async throws
        -> RolloutSample
    {
        let lab = try rolloutLab(way, versions[0], port)
        _ = try await kiln.up(lab, within: Benchmark.patience)
        let watched = try await OpenLoopClient.watching(port: port) {
            try await kiln.rollOut(lab, to: versions[version], within: Benchmark.rolloutPatience)
        }
        try await kiln.stop(lab)
        return RolloutSample(watched)
    }

    // One server; only how many of its members may be out is another number.
    private func rolloutLab(_ way: RolloutWay, _ image: StoredImage, _ port: UInt16) throws -> Kiln.Lab {
        try kiln.rolloutLab(
            "bench-rollout",
            image: image,
            port: port,
            members: Benchmark.members,
            unavailable: way == .allAtOnce ? Benchmark.members : 1
        )
    }

    /// Brings the members of an etcd cluster to the other version and back while records are written to it.
    func measureEtcd() async throws -> [EtcdSample] {
        let part = Part.rolloutEtcd
        let versions = try versions(of: part)
        let port = try freePort()
        let lab = try kiln.write("bench-etcd", server: Etcd.server, Etcd.lab(versions[0], port: port))
        say("\(part.image): 'kiln up' of a cluster of \(Etcd.members)")
        _ = try await kiln.up(lab, within: Benchmark.rolloutPatience)
        var samples: [EtcdSample] = []
        let runs = runs ?? part.runs
        for number in 0..<runs {
            for (direction, image) in zip(["there", "back"], versions.reversed()) {
                say("\(part.image), \(Etcd.members) members, \(number + 1)/\(runs): \(direction)")
                let sample = try await rollOutEtcd(lab, to: image, port, EtcdLedger("\(number)-\(direction)"))
                say("  \(sample.rollout); \(sample.acknowledged) acknowledged, lost \(sample.lost)")
                samples.append(sample)
            }
        }
        try await kiln.stop(lab)
        try await kiln.down(lab)
        return samples
    }

    private func rollOutEtcd(_ lab: Kiln.Lab, to image: StoredImage, _ port: UInt16, _ ledger: EtcdLedger) async throws
        -> EtcdSample
    {
        let watched = try await OpenLoopClient.watching(port: port, every: Etcd.interval, request: ledger.put) {
            try await kiln.rollOut(lab, to: image, within: Benchmark.rolloutPatience)
        }
        for request in watched.requests where !request.isAnswered { say("  \(request.line)") }
        let acknowledged = watched.requests.filter(\.isAnswered).map(\.number)
        var lost: [Int] = []
        for member in 0..<Etcd.members {
            let keys = try await kiln.execute(ledger.list, in: lab, member: member)
            lost.append(ledger.lost(acknowledged, in: keys))
        }
        return EtcdSample(rollout: RolloutSample(watched), acknowledged: acknowledged.count, lost: lost)
    }
}
