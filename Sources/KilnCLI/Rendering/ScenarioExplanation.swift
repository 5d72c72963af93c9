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
            let steps: [Step]
            let finally: [Step]
        }

        struct Step: Encodable {
            let kind: String
            let name: String
            let place: StepPlace
            let children: [Step]
        }

        let scenarios: [Item]
    }

    var payload: Payload { Payload(scenarios: scenarios.map(Payload.Item.init)) }

    var human: HumanView {
        .lines(
            scenarios.flatMap { scenario -> [String] in
                let about = scenario.about.map { ["  \($0)"] } ?? []
                let servers = scenario.lab.servers.sorted { $0.key < $1.key }.map {
                    "  server \($0.key) from \($0.value.image)"
                }
                let end = scenario.finally.isEmpty ? [] : ["  finally"] + scenario.finally.flatMap { lines($0, "    ") }
                return [scenario.title] + about + servers + scenario.steps.flatMap { lines($0, "  ") } + end
            }.map(ConsoleText.singleLine)
        )
    }

    private func lines(_ step: PlacedStep, _ indent: String) -> [String] {
        ["\(indent)\(step.place.line): \(step)"] + step.children.flatMap { lines($0, indent + "  ") }
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
            children: step.children.map(ScenarioExplanation.Payload.Step.init)
        )
    }
}
