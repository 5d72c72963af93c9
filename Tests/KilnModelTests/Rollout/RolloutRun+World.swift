import KilnModel

extension RolloutRun {
    static let server: ServerID = {
        guard let lab = try? Name("hello"), let name = try? Name("web") else { fatalError("no names") }
        return ServerID(lab: lab, server: name)
    }()

    static func version(_ number: Int) -> RolloutVersion {
        let digits = String(number, radix: 16)
        let hex = String(repeating: "0", count: 64 - digits.count) + digits
        guard let digest = ImageDigest(hex) else { fatalError("\(hex) is no digest") }
        return RolloutVersion(image: digest, configuration: nil)
    }

    /// A server of up to four members, as random as a file of a user may have it.
    static func world(_ random: inout SeededChance) -> RolloutWorld {
        let count = Int.random(in: 1...4, using: &random)
        let hasFront = Int.random(in: 0..<5, using: &random) > 0
        let isAllDown = Int.random(in: 0..<8, using: &random) == 0
        var members: [Int: RolloutObservation.Member] = [:]
        for ordinal in 0..<count {
            members[ordinal] = RolloutObservation.Member(
                isReady: !isAllDown && Int.random(in: 0..<8, using: &random) > 0,
                generation: Generation(Int.random(in: 1...5, using: &random)),
                version: version(Int.random(in: 1...3, using: &random)),
                isIn: hasFront ? Int.random(in: 0..<10, using: &random) > 0 : nil
            )
        }
        let spec = spec(replicas: count, &random)
        let plan = try? RolloutPlan(
            id: 1,
            spec: spec,
            target: version(3),
            of: server,
            as: RolloutObservation(now: .zero, members: members),
            replacesAll: Bool.random(using: &random)
        )
        return RolloutWorld(
            plan: plan ?? RolloutPlan(id: 1, spec: spec, target: version(3), members: []),
            target: RolloutWorld.Target.allCases.randomElement(using: &random) ?? .good,
            members: members
        )
    }

    private static func spec(replicas: Int, _ random: inout SeededChance) -> RolloutSpec {
        var spec = RolloutSpec()
        repeat {
            spec.maxUnavailable = [0, 1, 1, 1, 2].randomElement(using: &random) ?? 1
            spec.maxSurge = [0, 0, 0, 1, 2].randomElement(using: &random) ?? 0
            spec.partition = [0, 0, 0, 1, 2].randomElement(using: &random) ?? 0
            spec.canaries = [0, 0, 1, 2].randomElement(using: &random) ?? 0
            let pauses: [RolloutSpec.Pause] = [.none, .lasting(.seconds(30)), .untilPromoted]
            spec.pause = spec.canaries == 0 ? .none : pauses.randomElement(using: &random) ?? .none
            spec.soak = [.zero, .seconds(10), .seconds(45)].randomElement(using: &random) ?? .zero
            spec.progressDeadline = .seconds([60, 300].randomElement(using: &random) ?? 60)
            spec.onFailure = RolloutSpec.OnFailure.allCases.randomElement(using: &random) ?? .pause
            spec.judge = Int.random(in: 0..<3, using: &random) == 0 ? RolloutJudgeSpec() : nil
        } while !spec.problems(replicas: replicas).isEmpty
        return spec
    }
}
