import Foundation
import Testing

extension EndToEnd.Library {
    @Test("scenarios of tested, promoted and revoked images pass, and leave the store as it was")
    func allOfImages() async throws {
        // Elsewhere nothing of tiny was tested, and its tests say so.
        let home = try await Home.withImages(Home.freshPath())
        do {
            try await ofImages(home)
        } catch {
            // Where the test's time is up its task is cancelled, and what it started would stay.
            _ = await Task { try? await home.remove() }.value
            throw error
        }
        try await home.remove()
    }

    private func ofImages(_ home: Home) async throws {
        for version in ["tiny:1", "tiny:2"] {
            let tested = try await home.start(["image", "test", version]).finish(within: .seconds(600))
            try #require(tested.status == 0, "\(tested.errors)")
        }
        let promoted = try await home.run("image", "promote", "tiny:1", "--to", "stable")
        try #require(promoted.status == 0, "\(promoted.errors)")
        let folder = "\(Home.checkout)/Scenarios"
        // First: a configuration that has passed does so for good.
        for twin in Twin.images { try await failWithout(twin, home) }
        for name in (Twin.images + [.untested]).map(\.scenario) {
            let end = try await home.start(["run", "\(folder)/\(name).yaml"]).finish(within: .seconds(900))
            #expect(end.status == 0, "\(end.errors.suffix(4_000))\n\(end.text.suffix(4_000))")
        }
        let channels = try await home.run("image", "channels", "tiny").text
        #expect(channels.contains("stable") && !channels.contains("proven"), "\(channels)")
        let list = try await home.run("image", "list", "--format", "json").text
        #expect(list.contains("tiny") && !list.contains("it has a hole"), "\(list)")
        try await EndToEnd.expectNothingLeft(home)
    }

    private func failWithout(_ twin: Twin, _ home: Home) async throws {
        let text = try String(contentsOfFile: "\(Home.checkout)/Scenarios/\(twin.scenario).yaml", encoding: .utf8)
        try #require(text.contains(twin.line), "\(twin.scenario) has no such line: \(twin.line)")
        let file = "\(home.path)/\((twin.scenario as NSString).lastPathComponent).yaml"
        try Data(text.replacing(twin.line, with: twin.instead).utf8).write(to: URL(fileURLWithPath: file))
        let end = try await home.start(["run", file]).finish(within: .seconds(900))
        let told = end.text + end.errors
        #expect(end.status != 0 && told.contains(twin.reason), "\(told.suffix(4_000))")
    }
}
