import Foundation
import Glibc
import KilnSystem
import Synchronization
import Testing

@testable import KilnHost

@Suite("Private directories for what is needed meanwhile", .timeLimit(.minutes(3)))
struct ScratchDirectoryTests {
    @Test("who waits for another kiln says for whom, and goes on when that is done")
    func waits() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/kiln-scratch-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let gate = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try #require(gate >= 0 && KernelLock.take(gate))
        let told = Mutex<[String]>([])
        var scratch = ScratchDirectory(path: path, owner: nil)
        scratch.waiting = { text in told.withLock { $0.append(text) } }
        let making = Task { [scratch] in try await scratch.make() }
        while told.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(10)) }
        #expect(told.withLock { $0.first?.contains("pid \(getpid())") } == true, "\(told.withLock { $0 })")
        close(gate)
        let folder = try await making.value
        #expect(folder.hasPrefix(path))
        scratch.remove(folder)
        #expect(told.withLock { $0.count } == 1)
    }
}
