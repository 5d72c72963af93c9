/// What many random runs of a model come to.
protocol RandomTally: Sendable {
    init()
    /// Runs the life of a seed, and counts what came of it.
    mutating func run(seed: UInt64)
    mutating func add(_ other: Self)
}

extension RandomTally {
    /// That of the seeds from 1 to `count`, some at once.
    static func of(_ count: Int) async -> Self {
        await withTaskGroup(of: Self.self) { group in
            for lane in 0..<4 {
                group.addTask {
                    var tally = Self()
                    for seed in stride(from: lane + 1, through: count, by: 4) { tally.run(seed: UInt64(seed)) }
                    return tally
                }
            }
            return await group.reduce(into: Self()) { $0.add($1) }
        }
    }
}
