import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite(
        "The notes service, from an empty store to its way back",
        .lane,
        .serialized,
        .enabled(if: geteuid() == 0, "a plain user needs subordinate ids"),
        .timeLimit(.minutes(60))
    )
    struct Notes {
        @Test("parents and both versions are baked and tested, promoted, migrated with their rows, and reverted whole")
        func life() async throws {
            let home = try Home(Home.freshPath())
            do {
                try await live(in: home)
            } catch {
                // Where the test's time is up its task is cancelled, and what it started would stay.
                _ = await Task { try? await home.remove() }.value
                throw error
            }
            try await home.remove()
        }

        private func live(in home: Home) async throws {
            let folder = "\(Home.checkout)/Images"
            let bake = try home.start(["image", "bake", "--folder", folder, "notes"])
            let baked = try await bake.finish(within: .seconds(2_400))
            try #require(baked.status == 0, "\(baked.text) \(baked.errors)")
            for version in ["1", "2"] {
                let promoted = try await home.run("image", "promote", "notes:\(version)", "--to", "v\(version)")
                try #require(promoted.status == 0, "\(promoted.errors)")
            }
            let scenario = "\(Home.checkout)/Scenarios/notes-migration.yaml"
            let run = try await home.start(["run", scenario, "--format", "json"]).finish(within: .seconds(1_200))
            try #require(run.status == 0, "\(run.errors)\n\(run.text)")
            #expect(try run.json(RunReport.self).servers.first?.generation == 2)
            try await expectNothingLeft(home)
        }
    }
}
