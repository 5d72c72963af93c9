import KilnEngine
import KilnModel

/// What `kiln up --dry-run` found.
struct LabPlanView: Renderable {
    let lab: Name
    let plan: LabPlan

    var payload: LabPlan { plan }

    var human: HumanView {
        let servers = plan.servers.flatMap { action in
            ["\(action.server)  \(ConsoleText.singleLine(action.detail))"] + action.changes.map(\.line)
        }
        let volumes = plan.volumes.map {
            "volume \(lab)/\($0.name)  " + ($0.comesFrom ?? "make it: \($0.spec.size), \($0.spec.fileSystem.rawValue)")
        }
        return .lines(servers + volumes + ["a dry run: nothing was changed"])
    }
}

/// What `kiln replace --dry-run` found.
struct ReplacementPlanView: Renderable {
    let plan: ReplacementPlan
    /// Whether nothing follows it.
    var isLast = true

    var payload: ReplacementPlan { plan }

    var human: HumanView {
        var lines = ["\(plan.server)  generation \(plan.from) → \(plan.to), \(plan.strategy.rawValue)"]
        if plan.recoversFirst { lines.append("  an operation is open: it is finished or taken back first") }
        lines += plan.changes.map(\.line)
        if plan.changes.isEmpty { lines.append("  a fresh machine of the same image and configuration") }
        let moved = Set(plan.changes.filter { $0.kind == .volume }.map(\.name))
        lines += plan.volumes.sorted { $0.key < $1.key }.filter { !moved.contains($0.key.text) }
            .map { "  volume \($0.key): moves along, at \($0.value)" }
        return .lines(lines + (isLast ? ["a dry run: nothing was changed"] : []))
    }
}

extension SpecChange {
    /// The change as a line below its server.
    fileprivate var line: String {
        let label = kind == .volume ? "volume \(name)" : name
        let what =
            switch (from, to) {
            case (let from?, let to?): "\(from) → \(to)"
            case (nil, let to?): kind == .configuration ? "→ \(to)" : to
            case (let from?, nil):
                kind == .volume ? "no longer at \(from); it is kept" : "\(from) → as the image has it"
            case (nil, nil): "changed"
            }
        return ConsoleText.singleLine("  \(label): \(what)")
    }
}
