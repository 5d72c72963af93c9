import KilnModel
import KilnScenarios

/// What scenarios would do.
struct ScenarioExplanation: Renderable {
    let scenarios: [Scenario]

    struct Payload: Encodable {
        struct Item: Encodable {
            let scenario: Name
            let about: String?
            let tags: [Name]
            let variant: [Name: String]
            /// The images of its servers and steps, as far as they are not named by digest.
            let images: [String]
            /// The services of the host that a run has, by name.
            let externals: [String: String]
            let steps: [Step]
            let finally: [Step]
        }

        struct Step: Encodable {
            let kind: String
            let name: String
            let place: StepPlace
            let faults: [String]
            let children: [Step]
        }

        let scenarios: [Item]
    }

    var payload: Payload { Payload(scenarios: scenarios.map(Payload.Item.init)) }

    var human: HumanView { .lines(scenarios.flatMap(lines).map(ConsoleText.singleLine)) }

    private func lines(_ scenario: Scenario) -> [String] {
        var lines = [scenario.title]
        if let about = scenario.about { lines.append("  \(about)") }
        for (name, server) in scenario.lab.servers.sorted(by: { $0.key < $1.key }) {
            lines.append("  server \(name) from \(server.image)")
        }
        for (name, external) in scenario.externals.sorted(by: { $0.key < $1.key }) {
            lines.append("  external \(name): \(external.title) of this host, while the run lasts")
        }
        for step in scenario.steps { lines += self.lines(step, "  ") }
        if !scenario.finally.isEmpty { lines.append("  finally") }
        for step in scenario.finally { lines += self.lines(step, "    ") }
        return lines
    }

    private func lines(_ step: PlacedStep, _ indent: String) -> [String] {
        ["\(indent)\(step.place.line): \(step)"] + step.faults.map { "\(indent)  \($0)" }
            + step.children.flatMap { lines($0, indent + "  ") }
    }
}

extension ScenarioExplanation.Payload.Item {
    fileprivate init(_ scenario: Scenario) {
        self.init(
            scenario: scenario.name,
            about: scenario.about,
            tags: scenario.tags,
            variant: scenario.variant,
            images: scenario.movableImages.map(\.description).sorted(),
            externals: Dictionary(
                uniqueKeysWithValues: scenario.externals.map { ($0.key.text, $0.value.title) }
            ),
            steps: scenario.steps.map(ScenarioExplanation.Payload.Step.init),
            finally: scenario.finally.map(ScenarioExplanation.Payload.Step.init)
        )
    }
}

extension ScenarioExplanation.Payload.Step {
    fileprivate init(_ step: PlacedStep) {
        self.init(
            kind: step.kind,
            name: step.description,
            place: step.place,
            faults: step.faults,
            children: step.children.map(ScenarioExplanation.Payload.Step.init)
        )
    }
}
