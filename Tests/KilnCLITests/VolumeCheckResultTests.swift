import Foundation
import KilnModel
import Testing

@testable import KilnCLI
@testable import KilnEngine

@Suite("What a check of a volume says")
struct VolumeCheckResultTests {
    private func result(_ finding: FileSystemFinding) throws -> (text: String, json: String, exit: Int32) {
        let check = VolumeCheck(lab: try Name("lab"), name: try Name("data"), finding: finding, repaired: nil)
        let result = CheckResult(check: check)
        return (try Renderer.text(result, as: .table), try Renderer.text(result, as: .json), result.exit.rawValue)
    }

    @Test("a newer file system is not called damaged, and its features and the tool are named")
    func newer() throws {
        let result = try result(.newer(features: ["FEATURE_C15", "\u{1b}[2J"], than: "e2fsck 1.47.0"))
        #expect(result.exit == 1)
        #expect(result.text.contains("lab/data can't be judged"))
        #expect(result.text.contains("e2fsck 1.47.0 does not know FEATURE_C15"))
        #expect(!result.text.contains("damaged") && !result.text.contains("--repair"))
        #expect(!result.text.contains("\u{1b}"))
        #expect(result.json.contains("\"volume.newer-features\"") && result.json.contains("\"newer\""))
    }

    @Test("damage is an unmet expectation with e2fsck's words, and what the next mount does is none")
    func others() throws {
        let damaged = try result(.damaged(["Inode 12 is odd"]))
        #expect(damaged.exit == 1 && damaged.text.contains("e2fsck: Inode 12 is odd"))
        #expect(damaged.json.contains("\"volume.damaged\""))
        #expect(try result(.clean).exit == 0)
        #expect(try result(.replayed).exit == 0)
    }
}
