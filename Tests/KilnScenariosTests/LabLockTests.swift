import Foundation
import KilnModel
import KilnScenarios
import Testing

@Suite("The lock of a file")
struct LabLockTests {
    private func digest(_ digit: String) throws -> ImageDigest {
        try #require(ImageDigest(String(repeating: digit, count: 64)))
    }

    private func loaded() throws -> Scenario {
        try read(scenario(steps: "[up, { replace: { server: web, image: tiny:2 } }, { rollback: { server: web } }]"))
    }

    private func code(_ work: () throws -> Void) -> ErrorCode? {
        do {
            try work()
            return nil
        } catch { return (error as? KilnError)?.code }
    }

    @Test("the images of the lab and of its steps are pinned, and nothing else changes")
    func pinned() throws {
        let scenario = try loaded()
        #expect(scenario.movableImages.map(\.description).sorted() == ["tiny", "tiny:2"])
        let lock = try LabLock(scenario.movableImages) { try digest($0.description == "tiny" ? "a" : "b") }
        let pinned = try scenario.pinned(by: lock)
        #expect(pinned.lab.servers.values.map(\.image.description) == ["tiny@\(try digest("a"))"])
        // The step takes the digest from the lock once it is performed.
        #expect(pinned.lock == lock)
        #expect(pinned.steps.map(\.description) == scenario.steps.map(\.description))
        #expect(pinned.movableImages.isEmpty)
    }

    @Test("the image that a fault changes is locked like all others, and is the locked one where images are copied")
    func faults() throws {
        let fault = "{ fault: { base-image-changed: { image: 'tiny:3' } }, finally: [{ note: a }] }"
        let scenario = try read(scenario(steps: "[up, \(fault)]"))
        #expect(scenario.movableImages.map(\.description).sorted() == ["tiny", "tiny:3"])
        let lock = try LabLock(scenario.movableImages) { try digest($0.description == "tiny" ? "a" : "b") }
        let images = try scenario.pinned(by: lock).images
        let expected = try ["a", "b"].map { "tiny@\(try digest($0))" }
        #expect(images.map(\.description).sorted() == expected)
    }

    @Test("a lock is read beside its file, and refused where it is missing, damaged or of other images")
    func beside() throws {
        let references = try loaded().movableImages
        try withFolder { folder in
            let file = folder.appending(path: "lab.yaml").path
            #expect(code { _ = try LabLock.read(beside: file, naming: references) } == .labLockMissing)
            let lock = try LabLock(references) { _ in try digest("a") }
            try lock.write(beside: file)
            #expect(try LabLock.read(beside: file, naming: references) == lock)
            for other in [["tiny"], ["tiny", "tiny:2", "tiny:3"], ["web", "tiny:2"]] {
                let others = Set(try other.map { try ImageReference($0) })
                #expect(code { _ = try LabLock.read(beside: file, naming: others) } == .labLockStale)
            }
            #expect(code { _ = try lock.pinned(try ImageReference("web")) } == .labLockStale)
            for text in ["", "{", "{\"images\":{\"tiny\":\"sha256:1\"}}", "[]"] {
                try Data(text.utf8).write(to: URL(fileURLWithPath: LabLock.path(of: file)))
                #expect(code { _ = try LabLock.read(beside: file, naming: references) } == .labLockDamaged)
            }
        }
    }
}
