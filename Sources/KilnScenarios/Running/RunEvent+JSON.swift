import KilnEngine
import KilnModel

// One object per event: what it is, its number and time, and what belongs to it.
extension RunEvent: Encodable {
    private enum CodingKeys: String, CodingKey {
        case event, run, number, ms, scenario, variant, lab, id, kind, place, name, outcome, detail, report, server,
            generation
        case seed
        case timeoutScale = "timeout_scale"
        case step, text, cause, title, ledger, total, availability, drift, console
        case beginMS = "begin_ms"
        case endMS = "end_ms"
        case stepMS = "step_ms"
    }

    /// Encodes the event; a step's result comes without those that it holds, which have had events of their own.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(run, forKey: .run)
        try fields.encode(number, forKey: .number)
        try fields.encode(Int(time / .milliseconds(1)), forKey: .ms)
        switch kind {
        case .runBegan(let title, let scenario, let variant, let lab, let conditions):
            try fields.encode("run-began", forKey: .event)
            try fields.encode(title, forKey: .title)
            try fields.encode(scenario, forKey: .scenario)
            try fields.encode(variant, forKey: .variant)
            try fields.encode(lab, forKey: .lab)
            try fields.encode(conditions?.seed, forKey: .seed)
            try fields.encode(conditions?.scale.factor, forKey: .timeoutScale)
        case .stepBegan(let id, let kind, let name, let place):
            try fields.encode("step-began", forKey: .event)
            try fields.encode(id, forKey: .id)
            try fields.encode(kind, forKey: .kind)
            try fields.encode(name, forKey: .name)
            try fields.encode(place, forKey: .place)
        case .stepEnded(let result): try encode(result, &fields)
        case .progress(let progress): try encode(progress, &fields)
        case .found(let finding): try encode(finding, &fields)
        case .runEnded(let report):
            try fields.encode("run-ended", forKey: .event)
            try fields.encode(report, forKey: .report)
        }
    }

    private func encode(_ result: StepResult, _ fields: inout KeyedEncodingContainer<CodingKeys>) throws {
        try fields.encode("step-ended", forKey: .event)
        try fields.encode(result.id, forKey: .id)
        try fields.encode(result.kind, forKey: .kind)
        try fields.encode(result.name, forKey: .name)
        try fields.encode(result.place, forKey: .place)
        try fields.encode(result.outcome, forKey: .outcome)
        try fields.encode(result.beginMS, forKey: .beginMS)
        try fields.encode(result.endMS, forKey: .endMS)
        try fields.encode(result.detail, forKey: .detail)
    }

    private func encode(_ progress: Progress, _ fields: inout KeyedEncodingContainer<CodingKeys>) throws {
        try fields.encode("progress", forKey: .event)
        switch progress {
        case .plan(let server, let text):
            try fields.encode(server.ownName, forKey: .server)
            try fields.encode(text, forKey: .text)
        case .began(let server, let generation, let step):
            try fields.encode(server.ownName, forKey: .server)
            try fields.encode(generation, forKey: .generation)
            try fields.encode(step, forKey: .step)
        case .waiting(let server, let generation, let text):
            try fields.encode(server.ownName, forKey: .server)
            try fields.encode(generation, forKey: .generation)
            try fields.encode(text, forKey: .text)
        case .finished(let server, let generation, let step, let milliseconds):
            try fields.encode(server.ownName, forKey: .server)
            try fields.encode(generation, forKey: .generation)
            try fields.encode(step, forKey: .step)
            try fields.encode(milliseconds, forKey: .stepMS)
        case .turnedBack(let server, let turn):
            try fields.encode(server.ownName, forKey: .server)
            try fields.encode(turn.step, forKey: .step)
            try fields.encode("\(turn.direction.rawValue): \(turn.reason)", forKey: .text)
            try fields.encodeIfPresent(turn.cause, forKey: .cause)
        case .note(let text): try fields.encode(text, forKey: .text)
        }
    }

    private func encode(_ finding: RunFinding, _ fields: inout KeyedEncodingContainer<CodingKeys>) throws {
        switch finding {
        case .availability(let strip):
            try fields.encode("availability", forKey: .event)
            try fields.encode(strip, forKey: .availability)
        case .acknowledged(let ledger, let server, let total):
            try fields.encode("acknowledged", forKey: .event)
            try fields.encode(ledger, forKey: .ledger)
            try fields.encode(server, forKey: .server)
            try fields.encode(total, forKey: .total)
        case .drift(let drift):
            try fields.encode("drift", forKey: .event)
            try fields.encode(drift, forKey: .drift)
        case .console(let excerpt):
            try fields.encode("console", forKey: .event)
            try fields.encode(excerpt, forKey: .console)
        }
    }
}
