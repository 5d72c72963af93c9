import Testing

extension EndToEnd {
    @Suite("Faults in scenarios", .lane, .serialized, .timeLimit(.minutes(20)))
    struct Faults {
        @Test(
            "a kiln that is killed and a wrong byte in an image, in a home of its own, are what the scenarios expect",
            arguments: ["kill-kiln", "base-image-changed"]
        )
        func some(_ name: String) async throws { try await pass("\(Home.checkout)/Scenarios/faults/\(name).yaml") }

        @Test("every fault of the library strikes, and its scenario passes")
        func all() async throws { try await pass("\(Home.checkout)/Scenarios/faults") }

        private func pass(_ path: String) async throws {
            let home = try #require(Home.shared)
            let run = try await home.run("run", path, "--format", "json")
            #expect(run.status == 0, "\(run.errors.suffix(4_000))\n\(run.text.suffix(4_000))")
            try await EndToEnd.expectNothingLeft(home)
        }
    }
}
