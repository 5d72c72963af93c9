import Foundation
import Glibc
import Testing

extension EndToEnd {
    @Suite("Faults in scenarios", .lane, .serialized, .timeLimit(.minutes(40)))
    struct Faults {
        @Test(
            "a kiln that is killed and a wrong byte in an image, in a home of its own, are what the scenarios expect",
            arguments: ["kill-kiln", "host/base-image-changed"]
        )
        func some(_ name: String) async throws { try await pass("\(Home.checkout)/Scenarios/faults/\(name).yaml") }

        @Test("every fault of the library strikes, and its scenario passes")
        func all() async throws {
            try await pass("\(Home.checkout)/Scenarios/faults")
            try await pass("\(Home.checkout)/Scenarios/faults/host")
        }

        @Test("a run in a home of its own ends by a signal and leaves nothing; killed, it leaves that to gc")
        func ended() async throws {
            let home = try #require(Home.shared)
            for (number, status) in [(SIGTERM, Int32(130)), (SIGKILL, 137)] {
                let scenario = "\(Home.checkout)/Scenarios/faults/host/kill-libvirtd.yaml"
                let runner = try home.start(["run", scenario, "--format", "ndjson"])
                try await eventually("the ledger is written", within: .seconds(200)) {
                    runner.output.contains(#""event":"step-began","id":"2""#) || Processes.state(of: runner.pid) == nil
                }
                runner.send(number)
                let ended = try await runner.finish()
                #expect(ended.status == status, "\(ended.errors)\n\(runner.output)")
                let collected = try await home.run("gc")
                #expect(collected.text.contains("the home of a killed run") == (number == SIGKILL), "\(collected.text)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: home.path + "/worlds").isEmpty)
                try await EndToEnd.expectNothingLeft(home)
            }
        }

        private func pass(_ path: String) async throws {
            let home = try #require(Home.shared)
            let run = try await home.start(["run", path, "--format", "json"]).finish(within: .seconds(1_200))
            #expect(run.status == 0, "\(run.errors.suffix(4_000))\n\(run.text.suffix(4_000))")
            try await EndToEnd.expectNothingLeft(home)
        }
    }
}
