import Foundation

extension Benchmark {
    /// A client asks ten times a second, and there are one or two of them.
    private static let interval = Duration.milliseconds(100)
    private static let target = 12
    private static let settling = Duration.seconds(25)
    private static let autoscalePatience = Duration.seconds(180)

    /// Lets the load of a server double and halve while an autopilot looks after it.
    func measureAutoscaling() async throws -> [Autoscaling] {
        var found: [Autoscaling] = []
        let runs = runs ?? Part.autoscale.runs
        for number in 0..<runs {
            say("a load that doubles, halves and doubles again, \(number + 1)/\(runs)")
            let port = try freePort()
            let image = try image(.autoscale)
            let lab = try kiln.autoscaleLab(
                "bench-autoscale-\(number)",
                image: image,
                port: port,
                target: Benchmark.target
            )
            _ = try await kiln.up(lab, within: Benchmark.patience)
            found.append(try await lookedAfter(lab) { try await double(lab, port) })
            try await kiln.down(lab)
            try await kiln.purgeRetained()
        }
        return found
    }

    // An autopilot that fails is why nothing comes of the rest.
    private func lookedAfter<Result: Sendable>(
        _ lab: Kiln.Lab,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await kiln.autopilot(lab)
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            guard let result = try await group.next() ?? nil else { throw Failure("the autopilot has ended by itself") }
            return result
        }
    }

    private func double(_ lab: Kiln.Lab, _ port: UInt16) async throws -> Autoscaling {
        let always = OpenLoopClient(port: port, every: Benchmark.interval)
        defer { always.stop() }
        // For as long it measures the single load at first.
        try await Task.sleep(for: Benchmark.settling)
        let first = OpenLoopClient(port: port, every: Benchmark.interval)
        defer { first.stop() }
        let outAfter = try await until(lab, serve: 2)
        _ = try await kiln.execute(["/bin/sh", "-c", "echo first > /data/life && sync"], in: lab, member: 1)
        // For as long it has the double load.
        try await Task.sleep(for: Benchmark.settling)
        first.stop()
        let inAfter = try await until(lab, serve: 1)
        let second = OpenLoopClient(port: port, every: Benchmark.interval)
        defer { second.stop() }
        let againAfter = try await until(lab, serve: 2)
        let life = try await kiln.execute(["cat", "/data/life"], in: lab, member: 1)
        let requests = try await always.ended() + first.ended() + second.ended()
        return Autoscaling(
            outAfter: outAfter,
            inAfter: inAfter,
            againAfter: againAfter,
            isDataBack: life.hasPrefix("first"),
            requests: requests.count,
            failed: requests.count { !$0.isAnswered },
            rateKept: Double(requests.count(where: \.isTimely)) / Double(max(1, requests.count))
        )
    }

    // In seconds, to half a one.
    private func until(_ lab: Kiln.Lab, serve members: Int) async throws -> Double {
        let begin = ContinuousClock.now
        while try await kiln.serving(lab) != members {
            guard ContinuousClock.now - begin < Benchmark.autoscalePatience else {
                throw Failure("not \(members) members within \(Benchmark.autoscalePatience)")
            }
            // Nothing tells of members that come or go.
            try await Task.sleep(for: .milliseconds(500))
        }
        return (ContinuousClock.now - begin) / .seconds(1)
    }
}
