import KilnEngine
import KilnFaults
import KilnModel

/// A fault of a scenario, and where it stands.
struct PlacedFault: Sendable {
    let place: StepPlace
    let kind: FaultKind
    let action: any FaultAction

    /// Tells what it needs of the lab.
    func foresee(_ forecast: inout LabForecast) {
        if action.needsMachine { action.servers.forEach { forecast.require($0) } }
        if action.endsMachine { action.servers.forEach { forecast.disturb($0) } }
    }
}

extension Scenario {
    /// Whether one of its faults breaks something of the host, or one of its steps changes something of it, so that it has to
    /// run in a home of its own.
    public var needsOwnHome: Bool {
        (steps + finally).flatMap(\.all).contains { step in
            step.action.needsOwnHome || step.made.contains { $0.action.needsOwnHome }
        }
    }

    /// The images that its lab and its steps name.
    ///
    /// - Throws: `KilnError` with code `lab.lock-stale`.
    public var images: Set<ImageReference> {
        get throws { Set(try (lab.servers.values.map(\.image) + namedImages).map { try lock?.pinned($0) ?? $0 }) }
    }

    /// The images without which it can't pass: those that its lab and its steps name otherwise than by digest, without those of
    /// steps that have to fail.
    public var neededImages: Set<ImageReference> {
        guard lock == nil else { return [] }
        return lab.movableImages.union((steps + finally).flatMap(\.needed).filter(\.isMovable))
    }

    /// The images that its steps name, and what goes wrong in them.
    var namedImages: [ImageReference] { (steps + finally).flatMap(\.all).flatMap(\.images) }
}

extension PlacedStep {
    /// The faults that it makes.
    fileprivate var made: [PlacedFault] {
        [(action as? FaultStep)?.fault].compactMap(\.self) + attributes.during.map(\.fault)
    }

    /// The images that it names.
    fileprivate var images: [ImageReference] { action.images + made.flatMap(\.action.images) }

    /// The images that it and the steps in it name, without those that have to fail.
    fileprivate var needed: [ImageReference] {
        attributes.failure != nil ? [] : images + (children + attributes.finally).flatMap(\.needed)
    }
}

/// A moment of a step of a replacement.
struct MomentPoint: Sendable, Hashable, CustomStringConvertible {
    let step: KilnModel.Step
    let moment: StepMoment

    init(_ step: KilnModel.Step, _ moment: StepMoment) {
        self.step = step
        self.moment = moment
    }

    /// Reads one as failpoints are written, such as `prove-off.before`.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let step = KilnModel.Step(rawValue: parts[0]),
            let moment = StepMoment(rawValue: parts[1])
        else { return nil }
        self.init(step, moment)
    }

    var description: String { "\(step.rawValue).\(moment.rawValue)" }
}

/// A fault that is made at a moment of a step.
struct DuringFault: Sendable, CustomStringConvertible {
    let at: MomentPoint
    /// When it is taken back; at the end of the step where nothing is said.
    let until: MomentPoint?
    let fault: PlacedFault

    var description: String {
        "\(fault.action.summary) at \(at)" + (until.map { " until \($0)" } ?? "")
    }
}
