import KilnDocuments
import KilnModel

/// What is known of a lab at a step, before anything runs.
///
/// It finds the steps that can't work: a server that is not up, a ledger that nobody writes, a value that nobody saved.
struct LabForecast {
    /// What a server's machine is doing.
    enum Power: Sendable, Hashable {
        case running, stopped
        /// It depends on how the run goes.
        case unsure
    }

    /// A ledger that is being written.
    struct Ledger {
        let server: Name
        let isInGuest: Bool
        let place: StepPlace
    }

    /// What the lab declares.
    let lab: DecodedLab
    private let problems: ProblemList
    private(set) var states: [Name: Power] = [:]
    private(set) var ledgers: [Name: Ledger] = [:]
    private(set) var saved: Set<Name> = []
    /// The servers that were changed, for steps that run at the same time.
    private(set) var changed: Set<Name> = []
    /// Whether it is unknown what has been done before.
    private var isBlind = false
    private var place: StepPlace?

    init(lab: DecodedLab, problems: ProblemList) {
        self.lab = lab
        self.problems = problems
    }

    /// Follows all steps of a scenario in order, and those of its end.
    static func check(_ steps: [PlacedStep], finally: [PlacedStep], lab: DecodedLab, _ problems: ProblemList) {
        var forecast = LabForecast(lab: lab, problems: problems)
        forecast.follow(steps)
        for (name, ledger) in forecast.ledgers {
            forecast.place = ledger.place
            let title = name == ledger.server ? "the ledger of '\(name)'" : "the ledger '\(name)'"
            forecast.problem("\(title) is never verified; add a verify-ledger step")
        }
        var end = LabForecast(lab: lab, problems: problems)
        end.isBlind = true
        end.follow(finally)
    }

    /// Follows steps that begin with some servers up.
    static func check(_ steps: [PlacedStep], with servers: [Name], of lab: DecodedLab, _ problems: ProblemList) {
        var forecast = LabForecast(lab: lab, problems: problems)
        forecast.bringUp(servers)
        forecast.follow(steps)
    }

    /// Reports what is wrong with the step that is being followed.
    func problem(_ message: String) {
        guard let place else { return }
        problems.add(place.position, place.path, message)
    }
}

// MARK: - Steps

extension LabForecast {
    /// Follows steps in order.
    mutating func follow(_ steps: [PlacedStep]) { steps.forEach { follow($0) } }

    private mutating func follow(_ step: PlacedStep) {
        let outer = place
        defer { place = outer }
        place = step.place
        requireSaved(step.attributes.uses)
        let before = self
        if step.attributes.condition?.known == false { return }
        step.action.foresee(&self)
        for during in step.attributes.during { during.fault.foresee(&self) }
        saved.formUnion(step.attributes.save.keys)
        if step.attributes.failure != nil || step.attributes.condition.map({ $0.known == nil }) == true {
            merge(before)
        }
        // What was to renew it and could not may have left no machine that runs.
        if step.attributes.failure != nil { for server in step.action.renewed { states[server] = .unsure } }
        follow(finally: step.attributes.finally, savedBefore: before.saved)
    }

    private func requireSaved(_ uses: [SavedUse]) {
        for use in uses where !saved.contains(use.name) {
            let names = saved.sorted().map(\.text)
            let known = names.isEmpty ? "nothing is" : "saved: \(names.joined(separator: ", "))"
            let suggestion = Suggestion.text(for: use.name.text, among: names)
            problems.add(
                use.place.position,
                use.place.path,
                "no step before this one saves '\(use.name)' on every way here\(suggestion); \(known)"
            )
        }
    }

    // Nobody knows how far the step came.
    private mutating func follow(finally steps: [PlacedStep], savedBefore: Set<Name>) {
        guard !steps.isEmpty else { return }
        var end = self
        end.isBlind = true
        end.saved = savedBefore
        end.changed = []
        end.follow(steps)
        changed.formUnion(end.changed)
        for server in end.changed where states[server] != end.states[server] { states[server] = .unsure }
    }

    /// Takes in that it may be as another forecast says, instead.
    private mutating func merge(_ other: LabForecast) {
        for server in Set(states.keys).union(other.states.keys) where states[server] != other.states[server] {
            states[server] = .unsure
        }
        saved.formIntersection(other.saved)
        ledgers.merge(other.ledgers) { mine, _ in mine }
    }

    /// Follows steps that run at the same time: none sees what another does, and two must not change the same server.
    mutating func branch(_ branches: [[PlacedStep]]) {
        let start = self
        var all: Set<Name> = []
        for branch in branches {
            var own = start
            own.changed = []
            own.follow(branch)
            for server in own.changed.intersection(all).sorted() {
                problem("the server '\(server)' is changed by two of the steps that run at the same time")
            }
            all.formUnion(own.changed)
            for server in own.changed { states[server] = own.states[server] }
            saved.formUnion(own.saved)
            for name in Set(own.ledgers.keys).symmetricDifference(start.ledgers.keys) {
                ledgers[name] = own.ledgers[name]
            }
        }
        changed.formUnion(all)
    }
}

// MARK: - What steps need and make

extension LabForecast {
    /// The servers are brought up.
    mutating func bringUp(_ servers: [Name]) {
        for server in servers {
            if let state = states[server], state != .unsure, !isBlind {
                problem("the server '\(server)' is up already")
            }
            set(server, .running)
        }
    }

    /// The servers go from one state to another.
    mutating func change(_ servers: [Name], from: Power, to: Power) {
        for server in servers {
            if states[server] != from, states[server] != .unsure, !isBlind {
                problem("the server '\(server)' is not \(from == .running ? "running" : "stopped") at this step")
            }
            set(server, to)
        }
    }

    /// The server has to run.
    func require(_ server: Name) {
        guard !isBlind else { return }
        switch states[server] {
        case .running, .unsure: break
        case .stopped: problem("the server '\(server)' is stopped at this step; start it first")
        case nil: problem("the server '\(server)' is not up at this step; add an 'up' step before it")
        }
    }

    /// The server has to run, and gets another machine.
    mutating func replace(_ server: Name) {
        require(server)
        set(server, .running)
    }

    /// Something has to be up.
    func requireAny(_ hint: String = "; add an 'up' step before it") {
        if states.isEmpty, !isBlind { problem("nothing is up at this step\(hint)") }
    }

    /// The server that has the volume has to be stopped, where one has it.
    func requireDetached(_ volume: Name) {
        guard !isBlind, let owner = lab.servers.first(where: { $0.spec?.volumes[volume] != nil }) else { return }
        if states[owner.name] == .running {
            problem("the volume '\(volume)' is in use at this step; stop the server '\(owner.name)' first")
        }
    }

    /// The volume must not be there yet: one that the lab declares is made with the first machine of its server.
    func requireUnmade(_ volume: Name) {
        guard !isBlind, let owner = lab.servers.first(where: { $0.spec?.volumes[volume] != nil }) else { return }
        if states[owner.name] != nil {
            problem("the volume '\(volume)' was made with the server '\(owner.name)'; clone it before that is up")
        }
    }

    /// The server's machine is ended from outside; what becomes of it depends on how the run goes.
    mutating func disturb(_ server: Name) { set(server, .unsure) }

    /// Everything goes.
    mutating func takeDown() {
        requireAny("")
        changed.formUnion(states.keys)
        states = [:]
    }

    private mutating func set(_ server: Name, _ state: Power) {
        changed.insert(server)
        states[server] = state
    }

    /// A ledger is begun.
    ///
    /// - Parameter server: the server, or the external service, which is there from the first step on.
    mutating func beginLedger(_ name: Name, on server: Name, isInGuest: Bool) {
        if !lab.externals.all.contains(server) { require(server) }
        guard let place else { return }
        if ledgers[name] != nil {
            problem(
                name == server
                    ? "the ledger of '\(server)' is being written already"
                    : "the ledger '\(name)' is being written already"
            )
        } else if isInGuest, let other = ledgers.first(where: { $0.value.server == server && $0.value.isInGuest })?.key
        {
            problem("the server '\(server)' writes the ledger '\(other)' already; a machine has one way to acknowledge")
        }
        ledgers[name] = Ledger(server: server, isInGuest: isInGuest, place: place)
    }

    /// A ledger is verified.
    mutating func endLedger(_ name: Name, on server: Name) {
        if !lab.externals.all.contains(server) { require(server) }
        guard let ledger = ledgers.removeValue(forKey: name) else {
            if isBlind { return }
            let title = name == server ? "no ledger of '\(server)'" : "no ledger '\(name)'"
            return problem("\(title) is being written; add a write-ledger step before this one")
        }
        if ledger.server != server {
            problem("the ledger '\(name)' is written on '\(ledger.server)', not on '\(server)'")
        }
    }
}
