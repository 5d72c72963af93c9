import KilnScenarios

extension RunBudget {
    /// Does as much at the same time as there is room for, and begins it in order: what waits for room is not overtaken for
    /// ever by what needs less.
    ///
    /// - Parameters:
    ///   - demands: what each takes.
    ///   - jobs: how many go on at the same time, at most.
    ///   - goesOn: whether, after one has ended so, others are still begun.
    ///   - body: does the one with this index.
    /// - Returns: what came of them, in order, without those that were not begun.
    func run<Output: Sendable>(
        _ demands: [RunDemand],
        atMost jobs: Int = .max,
        goesOn: (Output) -> Bool = { _ in true },
        _ body: @escaping @Sendable (Int) async throws -> Output
    ) async throws -> [Output] {
        try await withThrowingTaskGroup(of: (Int, Output).self) { group in
            var waiting = demands.indices.makeIterator()
            var next = waiting.next()
            var running: Set<Int> = []
            var found: [Int: Output] = [:]
            func begin() {
                while let index = next, running.count < jobs,
                    hasRoom(for: demands[index], beside: running.map { demands[$0] })
                {
                    running.insert(index)
                    next = waiting.next()
                    group.addTask { (index, try await body(index)) }
                }
            }
            begin()
            while let (index, output) = try await group.next() {
                found[index] = output
                running.remove(index)
                if Task.isCancelled || !goesOn(output) { next = nil }
                begin()
            }
            return found.sorted { $0.key < $1.key }.map(\.value)
        }
    }
}
