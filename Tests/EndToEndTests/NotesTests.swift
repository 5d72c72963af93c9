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
            let baked = try await home.run("image", "bake", "--folder", folder, "notes")
            try #require(baked.status == 0, "\(baked.text) \(baked.errors)")
            for version in ["1", "2"] {
                let promoted = try await home.run("image", "promote", "notes:\(version)", "--to", "v\(version)")
                try #require(promoted.status == 0, "\(promoted.errors)")
            }
            let run = try await home.run("run", "\(Home.checkout)/Scenarios/notes-migration.yaml", "--format", "json")
            try #require(run.status == 0, "\(run.errors)\n\(run.text)")
            #expect(try run.json(RunReport.self).servers.first?.generation == 2)
            try await expectNothingLeft(home)
        }
    }
}
