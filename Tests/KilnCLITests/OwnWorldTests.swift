import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import KilnTestSupport
import Testing

@testable import KilnCLI

@Suite("Homes of runs that break what belongs to the host")
struct OwnWorldTests {
    @Test("those of commands that were killed are told and removed; one that lives, and what is no world, stay")
    func abandoned() throws {
        let home = try TemporaryDirectory()
        for file in ["1/labs/file", "1.lock", "2/labs/file", "2.lock", "notes"] {
            _ = try home.file("worlds/\(file)", [1])
        }
        let worlds = home.path + "/worlds"
        let lives = try FileLock(worlds + "/2.lock", subject: "a run")
        let told = ["the home of a killed run, \(worlds)/1"]
        #expect(OwnWorld.removeAbandoned(in: home.path, dryRun: true) == told)
        #expect(try FileManager.default.contentsOfDirectory(atPath: worlds).count == 5)
        #expect(OwnWorld.removeAbandoned(in: home.path) == told)
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: worlds)) == ["2", "2.lock", "notes"])
        withExtendedLifetime(lives) {}
        #expect(OwnWorld.removeAbandoned(in: home.path + "/none").isEmpty)
    }

    @Test("reports and evidence of a home that goes are those of the home outside, by its paths")
    func links() throws {
        let home = try TemporaryDirectory()
        let world = home.path + "/worlds/1"
        try FileManager.default.createDirectory(atPath: world, withIntermediateDirectories: true)
        for name in ["reports", "evidence"] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(world)/\(name)",
                withDestinationPath: "\(home.path)/\(name)"
            )
        }
        let state = StateDirectory(root: world, sockets: world)
        #expect(state.reports == home.path + "/reports" && state.evidence == home.path + "/evidence")
        #expect(StateDirectory(root: home.path, sockets: "").reports == home.path + "/reports")
    }
}
