import Foundation
import KilnModel

extension Benchmark {
    private static let steps = 1_000
    private static let files = 1_000
    private static let scenarios = 4

    /// Runs scenarios of many steps and of machines, and checks many files.
    func measureScenarios() async throws -> Running {
        let folder = kiln.home.path + "/scenarios"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let long = try write("long", ScenarioText.notes(Benchmark.steps), in: folder)
        let short = try write("short", ScenarioText.notes(1), in: folder)
        let image = Benchmark.title(try image(.scenarios))
        let machines = try (1...Benchmark.scenarios).map {
            try write("machine-\($0)", ScenarioText.machine(image), in: folder)
        }
        let many = try (1...Benchmark.files).map { try write("n\($0)", ScenarioText.machine(image), in: folder) }
        var times: [[Double]] = [[], [], [], [], []]
        for number in 0..<(runs ?? Part.scenarios.runs) {
            say("scenarios \(number + 1): steps, files, machines")
            times[0].append(try await run([long]))
            times[1].append(try await run([short]))
            times[2].append(try await kiln.lint(many) / .seconds(1))
            // Who goes first alternates.
            for atOnce in number.isMultiple(of: 2) ? [1, 2] : [2, 1] {
                times[2 + atOnce].append(try await run(machines, atOnce: atOnce))
            }
        }
        let summaries = times.compactMap { Summary($0) }
        guard summaries.count == 5 else { throw Failure("no scenario was run") }
        return Running(
            steps: Benchmark.steps,
            long: summaries[0],
            short: summaries[1],
            scenarios: Benchmark.scenarios,
            inTurn: summaries[3],
            twoAtOnce: summaries[4],
            files: Benchmark.files,
            lint: summaries[2]
        )
    }

    private func run(_ files: [String], atOnce: Int = 1) async throws -> Double {
        try await kiln.runScenarios(files, atOnce: atOnce, within: Benchmark.patience) / .seconds(1)
    }

    private func write(_ name: String, _ text: (String) -> String, in folder: String) throws -> String {
        let file = "\(folder)/\(name).yaml"
        try Data(text(name).utf8).write(to: URL(fileURLWithPath: file))
        return file
    }
}

/// The texts of scenarios that are measured, by their names.
private enum ScenarioText {
    /// Steps that do nothing, and no machine.
    static func notes(_ count: Int) -> (String) -> String {
        { name in
            let steps = String(repeating: "  - note: nothing\n", count: count)
            return "kiln: 1\nname: \(name)\nlab: { servers: { web: { image: tiny } } }\nsteps:\n" + steps
        }
    }

    /// A machine that comes and goes.
    static func machine(_ image: String) -> (String) -> String {
        { name in
            """
            kiln: 1
            name: \(name)
            lab: { servers: { web: { image: "\(image)", ready: [agent] } } }
            steps:
              - up
              - expect: { server: web, generation: 1, ready: true }
              - down

            """
        }
    }
}
