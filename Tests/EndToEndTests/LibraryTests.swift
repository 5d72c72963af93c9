import Foundation
import Glibc
import KilnModel
import Testing

extension EndToEnd {
    @Suite("The library of scenarios", .lane, .serialized, .timeLimit(.minutes(90)))
    struct Library {
        @Test(
            "what it shows of the pattern, of data and of traps holds",
            arguments: ["snowflake", "replica-from-a-clone", "formatting-boot", "forgotten-fsync", "crash-healed"]
        )
        func some(_ name: String) async throws { try await pass(name) }

        @Test("every scenario of tiny passes", arguments: Set(Twin.tiny.map(\.scenario)).sorted())
        func all(_ name: String) async throws { try await pass(name) }

        @Test("without its crucial line a scenario fails, for the reason that its lesson names", arguments: Twin.tiny)
        func twins(_ twin: Twin) async throws { try await fail(twin) }

        @Test("so does one without its fault, or whose fault hits nothing", arguments: Twin.faults)
        func twinsOfFaults(_ twin: Twin) async throws { try await fail(twin) }

        @Test(
            "so do those with an image of a service, which are baked first",
            .enabled(if: geteuid() == 0, "a plain user needs subordinate ids"),
            arguments: Twin.services
        )
        func services(_ twin: Twin) async throws {
            try await Home.shared?.takeDebian()
            try await pass(twin.scenario)
            try await fail(twin)
        }

        @Test("every scenario of the library has a twin, so that none is added of which nobody knows what it proves")
        func complete() throws {
            let folders = ["", "faults/", "faults/host/", "images/"]
            let scenarios = try folders.flatMap { folder in
                try FileManager.default.contentsOfDirectory(atPath: "\(Home.checkout)/Scenarios/\(folder)")
                    .filter { $0.hasSuffix(".yaml") }.map { folder + $0.dropLast(5) }
            }
            let all = Twin.tiny + Twin.services + Twin.faults + Twin.images + [.untested]
            let twins = all.map(\.scenario)
            #expect(scenarios.sorted() == Set(twins).sorted() && scenarios.count > 70)
        }

        @Test("a lab that takes tested images only refuses one that has passed nothing")
        func untested() async throws { try await fail(.untested) }

        private func pass(_ name: String) async throws {
            let home = try #require(Home.shared)
            let end = try await home.start(["run", "--bake", "\(Home.checkout)/Scenarios/\(name).yaml"])
                .finish(within: .seconds(2_400))
            #expect(end.status == 0, "\(end.errors.suffix(4_000))\n\(end.text.suffix(4_000))")
            try await EndToEnd.expectNothingLeft(home)
        }

        private func fail(_ twin: Twin) async throws {
            let text = try Library.text(twin.scenario)
            try #require(text.contains(twin.line), "\(twin.scenario) has no such line: \(twin.line)")
            let name = (twin.scenario as NSString).lastPathComponent
            let end = try await run(text.replacing(twin.line, with: twin.instead), as: name)
            #expect(end.status != 0, "it passes without '\(twin.line)'")
            let told = end.text + end.errors
            #expect(told.contains(twin.reason), "\(told.suffix(4_000))")
        }

        private static func text(_ name: String) throws -> String {
            try String(contentsOfFile: "\(Home.checkout)/Scenarios/\(name).yaml", encoding: .utf8)
        }

        /// Runs a text as a scenario; what it retained is gone afterwards.
        private func run(_ text: String, as name: String) async throws -> Finished {
            let home = try #require(Home.shared)
            let file = "\(home.path)/\(name).yaml"
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            let end = try await home.start(["run", file]).finish(within: .seconds(900))
            try #require(try await home.run("volume", "prune", "--yes").status == 0)
            return end
        }
    }
}
