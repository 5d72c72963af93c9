import Foundation
import KilnDocuments
import KilnEngine
import KilnFaults
import KilnTestSupport

@testable import KilnScenarios

/// A folder that lasts as long as the closure.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "kiln-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}

/// Reads `text` as a scenario.
func read(_ text: String) throws -> Scenario {
    try withFolder { folder in
        let file = folder.appending(path: "test.yaml")
        try Data(text.utf8).write(to: file)
        return try ScenarioFile.scenario(at: file.path)
    }
}

extension FakeWorld {
    /// Runs a scenario's text.
    func run(
        _ text: String,
        host: (any HostControl)? = nil,
        process: (any ReplacementProcess)? = nil,
        options: ScenarioRunner.Options = .init(version: "0"),
        sink: @escaping RunSink = { _ in }
    ) async throws -> ScenarioReport {
        let (timeline, events) = (Timeline(), RunEvents([sink]))
        let parts = parts {
            timeline.record($0)
            events.record($0)
        }
        var runner = ScenarioRunner(
            scenario: try read(text),
            engine: LabEngine(state: state, parts: parts),
            network: parts.network,
            timeline: timeline,
            events: events,
            options: options
        )
        if let host { runner.host = host }
        runner.process = process
        return await runner.run()
    }
}

/// What is wrong with `text`, each as `line:column: path: message`.
func problems(_ text: String) throws -> [String] {
    do {
        _ = try read(text)
        return []
    } catch let error as InvalidFile {
        return error.problems.map { problem in
            let place = "\(problem.position.line):\(problem.position.column): "
            return place + (problem.path.isEmpty ? "" : "\(problem.path): ") + problem.message
        }
    }
}

/// A scenario whose only server has `fields`, a line each, and whose steps are `steps`.
func scenario(server fields: String = "", steps: String = "[up]") -> String {
    let lines = ["image: tiny"] + fields.split(separator: "\n").map(String.init)
    return """
        kiln: 1
        name: test
        lab:
          volumes: { data: { size: 64MiB } }
          servers:
            web:
        \(lines.map { "      \($0)" }.joined(separator: "\n"))
        steps: \(steps)
        """
}
