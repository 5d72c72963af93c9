import Glibc
import Testing

@testable import KilnSystem

@Suite("deadlines", .timeLimit(.minutes(3)))
struct DeadlineTests {
    @Test("a body in time gives its result")
    func inTime() async throws {
        #expect(try await withDeadline(.seconds(60), operation: "count") { 3 } == 3)
    }

    @Test("a body that is late is cancelled, and the error is no cancellation")
    func late() async {
        let error = await #expect(throws: DeadlineExceeded.self) {
            try await withDeadline(.milliseconds(5), operation: "wait") { try await Task.sleep(for: .seconds(3600)) }
        }
        #expect(error == DeadlineExceeded(operation: "wait", limit: .milliseconds(5)))
    }

    @Test("a call that can't be stopped is left behind when its time is over")
    func patience() async throws {
        #expect(try await withPatience(.seconds(60), operation: "count") { 3 } == 3)
        await #expect(throws: CancellationError.self) {
            try await withPatience(.seconds(60), operation: "fail") { () async throws -> Int in
                throw CancellationError()
            }
        }
        let error = await #expect(throws: DeadlineExceeded.self) {
            try await withPatience(.milliseconds(20), operation: "block") {
                await BlockingWork.run { _ = poll(nil, 0, 20_000) }
            }
        }
        #expect(error == DeadlineExceeded(operation: "block", limit: .milliseconds(20)))
    }

    @Test("a cancelled caller gets a cancellation and no deadline")
    func cancelled() async {
        let task = Task {
            try await withDeadline(.seconds(60), operation: "wait") { try await Task.sleep(for: .seconds(3600)) }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("the body's own error comes through")
    func failure() async {
        struct Broken: Error {}
        await #expect(throws: Broken.self) {
            try await withDeadline(.seconds(60), operation: "fail") { throw Broken() }
        }
    }
}
