import KilnDocuments
import KilnEngine
import KilnFaults
import KilnModel

/// `fault`: something goes wrong, and is taken back.
struct FaultStep: StepAction {
    static let kind = StepKind(
        word: "fault",
        about: "Lets something go wrong: for a time, while steps are done, or until the end of the run.",
        fields: { about in
            let all = FaultKind.all.filter { !$0.isOfReplacement }
            return FaultSchema.fault(all, besides: FaultStepFields.schemas, about)
        },
        decode: { FaultStep($0, $1) }
    )

    let fault: PlacedFault
    /// How long it lasts; nothing means that its steps say that, or that it stays.
    let time: Duration?
    let children: [PlacedStep]

    init?(_ value: Value, _ reader: StepReader) {
        let words = Set(FaultStepFields.allCases.map(\.rawValue))
        guard let fault = reader.fault(value, in: nil, besides: words),
            let entries = value.entries(of: "one fault")
        else { return nil }
        func field(_ field: FaultStepFields) -> Value? { entries.first { $0.key.key == field.rawValue }?.value }
        let (lasting, held) = (field(.for), field(.steps))
        let (time, children) = (lasting?.duration(), held.flatMap(reader.steps))
        guard (lasting == nil) == (time == nil), (held == nil) == (children == nil) else { return nil }
        guard lasting == nil || held == nil else {
            value.problem("expected 'for' or 'steps', found both")
            return nil
        }
        if fault.action.isMomentary, let found = lasting ?? held {
            found.problem("this fault is over at once: write steps after it")
            return nil
        }
        self.fault = fault
        self.time = time
        self.children = children ?? []
    }

    var summary: String { fault.action.summary }

    func foresee(_ forecast: inout LabForecast) {
        fault.foresee(&forecast)
        forecast.follow(children)
    }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let open = try await context.strike(fault)
        guard fault.action.isMomentary || time != nil || !children.isEmpty else {
            return StepYield(message: "it stays until the end of the run")
        }
        do {
            // The fault's own time.
            if let time { try await Task.sleep(for: time) }
            try await context.take(children, below: id)
        } catch {
            // What the steps found counts for more than whether the fault was hit.
            do {
                _ = try await context.end(open)
            } catch let left as KilnError where left.code == .faultNotUndone {
                throw left
            } catch {}
            throw error
        }
        return StepYield(message: try await context.end(open))
    }
}

/// What may stand beside a fault in its step.
enum FaultStepFields: String, FileField {
    case `for`, steps

    static let required: [FaultStepFields] = []

    var schema: JSONValue {
        switch self {
        case .for: Schema.duration("How long it lasts.")
        case .steps: StepSchema.list("What is done while it lasts.")
        }
    }

    /// Both, by their words.
    static var schemas: [String: JSONValue] {
        Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0.schema) })
    }
}
