import KilnEngine
import KilnModel
import KilnScenarios

extension LabGlance {
    /// The moment for people, in lines that are wide enough to be read from the back of a room.
    var lines: [String] {
        guard !servers.isEmpty else { return headLines + ["\(lab): no servers"] }
        let table = TextTable(
            header: ["server", "gen", "state", "image", "answers"],
            rows: servers.map { server in
                let status = server.status
                return [
                    "\(status.name)", status.generation?.description ?? "-", status.condition,
                    status.image.map { "\($0.name):\($0.version)" } ?? "-", server.answerText,
                ]
            }
        )
        return headLines + table.lines
            + servers.filter { !$0.steps.isEmpty }.map { "\($0.status.name): \($0.stepText)" }
    }

    private var headLines: [String] { [problemLine].compactMap(\.self) + runLines }

    private var problemLine: String? {
        problem.map { "can't look, tries again, and shows what was seen last: \($0)" }
    }

    private var runLines: [String] {
        guard let run else { return [] }
        let ledgers = run.ledgers.map { "\($0.name): \($0.acknowledged) records acknowledged by \($0.server)" }
        return ["\(run.scenario): \(run.step ?? "between two steps")"] + ledgers
    }

    /// The moment as a page that asks for itself again.
    func page(every pause: Duration) -> LabPage {
        LabPage(
            lab: lab,
            pause: pause,
            problem: problemLine,
            run: runLines,
            servers: servers.map { server in
                let status = server.status
                return LabPage.Server(
                    name: "\(status.name)",
                    generation: status.generation?.description ?? "-",
                    image: status.image.map { "\($0.name):\($0.version)" } ?? "-",
                    state: status.condition,
                    ports: status.portList,
                    steps: server.stepText,
                    answers: server.answerText,
                    serves: status.state == .running && server.answers.allSatisfy(\.holds)
                )
            }
        )
    }
}

extension LabGlance.Server {
    /// The steps of an operation on a line: `plan 0.0 s, prepare 0.4 s, stop …`.
    fileprivate var stepText: String {
        steps.map { step in
            let time = step.milliseconds.map { ProgressLines.seconds(.milliseconds($0)) } ?? "…"
            return "\(step.step.rawValue) \(time)"
        }.joined(separator: ", ")
    }

    fileprivate var answerText: String {
        guard !answers.isEmpty else { return "-" }
        return answers.map { $0.holds ? "✔ \($0.probe)" : "✘ \($0.probe): \($0.found)" }.joined(separator: ", ")
    }
}

/// A moment as every format shows it.
struct LabGlanceView: Renderable {
    let glance: LabGlance

    var payload: LabGlance { glance }
    var human: HumanView { .lines(glance.lines) }
}
