import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite(
        "Files on a server of their own",
        .lane,
        .serialized,
        .enabled(if: geteuid() == 0, "a plain user needs subordinate ids"),
        .timeLimit(.minutes(30))
    )
    struct SharedFiles {
        @Test("mounts over a network of the lab and over a forwarded port outlive the replacement of their server")
        func replaced() async throws {
            let home = try #require(Home.shared)
            try await home.takeDebian()
            let folder = "\(Home.checkout)/Images"
            let bake = try home.start(["image", "bake", "--no-test", "--folder", folder, "nfs"])
            let baked = try await bake.finish(within: .seconds(600))
            try #require(baked.status == 0, "\(baked.errors)")
            let scenario = "\(Home.checkout)/Scenarios/shared-files.yaml"
            let run = try await home.start(["run", scenario, "--format", "json"]).finish(within: .seconds(900))
            try #require(run.status == 0, "\(run.errors)\n\(run.text)")
            #expect(try run.json(RunReport.self).servers.map(\.generation) == [2, 2])
            try await expectNothingLeft(home)
        }
    }
}
