import Foundation
import Testing

/// One home, and so one daemon, for all tests of a suite that don't need their own.
struct SharedHome: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let home = try await Home.withImages(Home.freshPath())
        do {
            try await Home.$shared.withValue(home) { try await function() }
        } catch {
            try? await home.remove()
            throw error
        }
        try await home.remove()
    }
}

extension Home {
    /// The home of the tests that share one.
    @TaskLocal static var shared: Home?
}

extension Trait where Self == SharedHome {
    static var sharedHome: SharedHome { SharedHome() }
}
