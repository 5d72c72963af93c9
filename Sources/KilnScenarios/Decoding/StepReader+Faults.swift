import KilnDocuments
import KilnFaults
import KilnModel

extension StepReader {
    /// What faults can be made in.
    private var faults: FaultReader {
        FaultReader(
            servers: lab.servers.map { server in
                FaultReader.Server(
                    name: server.name,
                    volumes: (server.spec?.volumes.keys.sorted()) ?? lab.volumeNames,
                    networks: server.spec?.networks ?? lab.networks,
                    ports: server.tcpPorts
                )
            }
        )
    }

    /// A map of one fault; nothing where it could not be read.
    ///
    /// - Parameters:
    ///   - step: the kind of the step at whose moments it is made; nothing for a step of its own.
    ///   - besides: the words that may stand beside it.
    func fault(_ value: Value, in step: StepKind?, besides: Set<String> = []) -> PlacedFault? {
        let expected = "a fault: a map of one of \(StepReader.faultWords)"
        guard let entries = value.entries(of: "one fault") else { return nil }
        var kinds: [(FaultKind, Value)] = []
        for (entry, inner) in entries where !besides.contains(entry.key) {
            guard let kind = FaultKind.named(entry.key) else {
                let suggestion = Suggestion.text(for: entry.key, among: FaultKind.all.map(\.word))
                inner.placed(at: entry.position).problem(
                    "unknown fault\(suggestion); expected one of \(StepReader.faultWords)"
                )
                return nil
            }
            kinds.append((kind, inner))
        }
        guard let (kind, inner) = kinds.first, kinds.count == 1 else {
            value.mismatch(expected)
            return nil
        }
        guard let action = kind.decode(inner, faults) else { return nil }
        let able = StepKind.all.filter { action.killsKiln ? $0.isKillable : $0.hasMoments }.map(\.word)
        guard !kind.isOfReplacement || step.map({ able.contains($0.word) }) ?? false else {
            value.problem("'\(kind.word)' stands in 'during' of: \(able.joined(separator: ", "))")
            return nil
        }
        return PlacedFault(place: StepPlace(value), kind: kind, action: action)
    }

    /// What goes wrong at moments of a step.
    ///
    /// - Parameter action: what the step's kind has read; nothing where that could not be done.
    func during(_ value: Value, of kind: StepKind, _ action: (any StepAction)?) -> [DuringFault]? {
        guard kind.hasMoments else {
            let able = StepKind.all.filter(\.hasMoments).map(\.word).joined(separator: ", ")
            value.problem("'\(kind.word)' makes no generation, so it has no such moments; these do: \(able)")
            return nil
        }
        guard let elements = value.list(of: "faults with 'at'") else { return nil }
        let found = elements.map { duringFault($0, of: kind, action) }
        return found.contains { $0 == nil } ? nil : found.compactMap(\.self)
    }

    private func duringFault(_ value: Value, of kind: StepKind, _ action: (any StepAction)?) -> DuringFault? {
        guard let fields = Fields<DuringFields>(value, "a map with 'at' and 'fault'") else { return nil }
        let at = fields[.at].flatMap { $0.moment() }
        let until = fields[.until].map { $0.moment() }
        let fault = fields[.fault].flatMap { self.fault($0, in: kind) }
        guard let at, let fault, until != .some(nil) else { return nil }
        if fault.kind.isOfReplacement, let action,
            let other = fault.action.servers.first(where: { !action.renewed.contains($0) })
        {
            let own = action.renewed.map { "'\($0)'" }.joined(separator: ", ")
            fields[.fault]?.problem("this step makes a generation of \(own), and none of '\(other)'")
            return nil
        }
        if fault.action.isMomentary, let until = fields[.until] {
            until.problem("this fault is over at once, and can't be taken back")
            return nil
        }
        return DuringFault(at: at, until: until ?? nil, fault: fault)
    }

    private static var faultWords: String { FaultKind.all.map(\.word).joined(separator: ", ") }
}

extension Value {
    /// A moment of a step of a replacement.
    fileprivate func moment() -> MomentPoint? {
        let expected = "a step and 'before' or 'after', such as prove-off.before"
        guard let text = text(expected) else { return nil }
        guard let point = MomentPoint(text) else {
            let all = KilnModel.Step.allCases.flatMap { ["\($0.rawValue).before", "\($0.rawValue).after"] }
            mismatch(expected + Suggestion.text(for: text, among: all))
            return nil
        }
        return point
    }
}

/// The fields of a fault in `during`.
enum DuringFields: String, FileField {
    case at, until, fault

    static let required: [DuringFields] = [.at, .fault]

    var schema: JSONValue {
        switch self {
        case .at: FaultSchema.moment("When it is made: before or after a step of the replacement; kiln waits for it.")
        case .until: FaultSchema.moment("When it is taken back; when the step has ended without it.")
        case .fault: FaultSchema.fault(FaultKind.all, besides: [:], "What goes wrong.")
        }
    }
}

/// How faults are written.
enum FaultSchema {
    /// A map of one fault, and of what may stand beside it.
    static func fault(_ all: [FaultKind], besides: [String: JSONValue], _ about: String) -> JSONValue {
        let kinds = all.map { ($0.word, $0.fields($0.about)) }
        let words = all.map { JSONValue.object(["required": .array([.string($0.word)])]) }
        return [
            "type": "object", "additionalProperties": .bool(false), "description": .string(about),
            "oneOf": .array(words),
            "properties": .object(Dictionary(uniqueKeysWithValues: kinds).merging(besides) { first, _ in first }),
        ]
    }

    /// A moment of a step.
    static func moment(_ about: String) -> JSONValue {
        let steps = KilnModel.Step.allCases.map(\.rawValue).joined(separator: "|")
        return Schema.pattern("^(\(steps))\\.(before|after)$", about)
    }

    /// What goes wrong at moments of a step.
    static var during: JSONValue {
        Schema.list(
            of: Schema.object(DuringFields.self, "A fault, and when it is made."),
            "What goes wrong at moments of the replacements that it makes."
        )
    }
}
