import Foundation
import Testing

/// A suite's turn on this host, with a home, and so a daemon, of its own that its tests share.
///
/// A guest whose every instruction is emulated takes a whole core, so there are as many lanes as cores. In each, one
/// suite runs at a time, and in that, by `.serialized`, one test.
struct Lane: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await Lanes.all.run {
            let home = try await Home.withImages(Home.freshPath())
            do {
                try await Home.$shared.withValue(home) { try await function() }
            } catch {
                _ = await Task { try? await home.remove() }.value
                throw error
            }
            try await home.remove()
        }
    }
}

/// Lets as many suites run at once as this host has cores, four at most.
private actor Lanes {
    static let all = Lanes()

    private var free = min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 4)
    private var waiting: [CheckedContinuation<Void, Never>] = []

    nonisolated func run(_ body: @concurrent @Sendable () async throws -> Void) async throws {
        await enter()
        do {
            try await body()
        } catch {
            await leave()
            throw error
        }
        await leave()
    }

    private func enter() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func leave() {
        guard waiting.isEmpty else { return waiting.removeFirst().resume() }
        free += 1
    }
}

extension Home {
    /// The home of the tests that share one.
    @TaskLocal static var shared: Home?
}

extension Trait where Self == Lane {
    static var lane: Lane { Lane() }
}
