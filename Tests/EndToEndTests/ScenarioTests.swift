import Foundation
import KilnModel
import Testing

extension EndToEnd {
    @Suite("A scenario", .lane, .serialized, .timeLimit(.minutes(10)))
    struct Scenarios {
        @Test("the demonstration passes, reports in one JSON document and leaves nothing")
        func demonstration() async throws {
            let home = try #require(Home.shared)
            let result = try await home.run(
                "run",
                "\(Home.checkout)/Scenarios/replace-keeps-data.yaml",
                "--format",
                "json"
            )
            try #require(result.status == 0, "\(result.errors)\n\(result.text)")
            try expectDemonstration(result)
            let images = try await home.run("image", "list", "--format", "json").json(ImageListReport.self).images
            let report = try result.json(RunReport.self)
            #expect(
                report.servers.first?.image.digest == images.first { $0.name == "tiny" && $0.version == "2" }?.digest
            )
            try await expectNothingLeft(home)
        }

        @Test("a warm-first scenario passes, and its successor has no drift")
        func warmFirst() async throws {
            let home = try #require(Home.shared)
            let result = try await home.run("run", "\(Home.checkout)/Scenarios/warm-first.yaml", "--format", "json")
            try #require(result.status == 0, "\(result.errors)\n\(result.text)")
            let report = try result.json(RunReport.self)
            #expect(report.outcome == "passed" && report.servers.first?.generation == 2)
            let ledger = try #require(report.ledger)
            #expect(ledger.acknowledged >= 200 && ledger.lost == 0)
            try await expectNothingLeft(home)
        }

        @Test(
            "a scenario passes where a bad image is found out as it expects",
            arguments: ["bad-image-reverts", "rehearsal"]
        )
        func badImage(_ scenario: String) async throws {
            let home = try #require(Home.shared)
            let result = try await home.run("run", "\(Home.checkout)/Scenarios/\(scenario).yaml", "--format", "json")
            try #require(result.status == 0, "\(result.errors)\n\(result.text)")
            let report = try result.json(RunReport.self)
            #expect(report.outcome == "passed" && report.servers.first?.generation == 1)
            #expect(try #require(report.ledger).lost == 0)
            try await expectNothingLeft(home)
        }
    }

    /// What the report of the demonstration has to say.
    static func expectDemonstration(_ result: Finished) throws {
        let report = try result.json(RunReport.self)
        #expect(report.outcome == "passed" && report.exit == 0)
        let ledger = try #require(report.ledger)
        #expect(ledger.acknowledged >= 200)
        #expect(ledger.lost == 0 && ledger.torn == 0 && ledger.duplicated == 0)
        #expect(try #require(report.unavailableMS) > 0)
        #expect(report.steps.count == 7)
        #expect(report.steps.allSatisfy { $0.outcome == "passed" && !$0.name.isEmpty && $0.ms >= 0 })
        let server = try #require(report.servers.first)
        #expect(server.name == "web" && server.generation == 2 && server.instanceID.hasPrefix("web-2-"))
        #expect(server.image.name == "tiny" && server.image.version == "2" && server.image.digest.hasPrefix("sha256:"))
        #expect(result.errors.contains(/replace-keeps-data-[a-z0-9]+\/web#2/), "progress belongs on standard error")
    }

    static func expectNothingLeft(_ home: Home) async throws {
        #expect(home.machines.isEmpty)
        #expect(try await home.run("ps", "--format", "json").json(ServerListReport.self).servers.isEmpty)
        let volumes = try await home.run("volume", "list", "--format", "json").json(VolumeListReport.self)
        #expect(volumes.volumes.isEmpty && volumes.retained.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.path + "/sockets").isEmpty)
        let garbage = try await home.run("gc", "--dry-run")
        #expect(garbage.status == 0 && !garbage.text.contains(home.path), "\(garbage.text)")
    }
}

/// What `image list` says in JSON.
struct ImageListReport: Decodable {
    struct Image: Decodable {
        let name: String
        let version: String
        let digest: String
    }

    let images: [Image]
}
