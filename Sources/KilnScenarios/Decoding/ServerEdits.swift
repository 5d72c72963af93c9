import KilnDocuments
import KilnModel

/// What a file says of a server, collected field by field and applied once its image is known.
struct ServerEdits {
    private var edits: [(inout ServerSpec) -> Void] = []

    /// Takes a field that was written and could be read.
    mutating func set<Field>(_ path: WritableKeyPath<ServerSpec, Field>, _ value: Field?) {
        if let value { edits.append { $0[keyPath: path] = value } }
    }

    /// The server.
    func spec(_ image: ImageReference) -> ServerSpec {
        var spec = ServerSpec(image: image)
        for edit in edits { edit(&spec) }
        return spec
    }

    /// Reads when a machine is healthy.
    mutating func readHealth(_ fields: Fields<ServerFields>, ports: [Name]) {
        let checks = CheckDecoder(ServerChecks(ports: ports))
        set(\.ready, fields[.ready].map(checks.list))
        set(\.readyTimeout, fields[.readyTimeout]?.duration())
        let stays = fields[.minHealthy]?.duration()
        let limit = fields[.healthyDeadline]?.duration()
        set(\.minHealthy, stays)
        set(\.healthyDeadline, limit)
        if let stays, let limit, limit < stays {
            fields[.healthyDeadline]?.problem(
                "shorter than min-healthy: no machine could be ready and stay so for that long; make it longer"
            )
        }
        set(\.consoleAllow, fields[.consoleAllow].map { ($0.list(of: "texts") ?? []).compactMap { $0.text() } })
    }

    /// Reads how clients are kept while machines change.
    mutating func readFront(_ fields: Fields<ServerFields>, ports: [Name]) {
        let hold = fields[.hold]
        set(\.hold, hold?.duration())
        set(\.connections, fields[.connections]?.whole(in: 1...FrontSpec.mostConnections))
        set(\.drainTimeout, fields[.drainTimeout]?.duration())
        if ports.isEmpty {
            hold?.problem("the server publishes no TCP port whose requests could be held; add one to 'ports'")
        }
        // A server with members has a front in any case.
        guard hold == nil, fields[.replicas] == nil else { return }
        for field in [ServerFields.connections, .drainTimeout] {
            fields[field]?.problem("it says how requests are held, which takes 'hold'; add that, or leave this out")
        }
    }

    /// Reads how machines come to run.
    mutating func readLaunch(_ fields: Fields<ServerFields>) {
        set(\.launch, fields[.launch]?.word(ServerSpec.Launch.self))
    }

    /// Reads how one generation follows another.
    mutating func readReplacement(_ fields: Fields<ServerFields>, ports: [Name]) {
        let checks = CheckDecoder(ServerChecks(ports: ports))
        set(\.strategy, fields[.strategy]?.strategy())
        set(\.warmReady, fields[.warmReady].map(checks.list))
        set(\.verify, fields[.verify].map(checks.list))
        set(\.drain, fields[.drain].map { $0.hooks() })
        set(\.afterAttach, fields[.afterAttach].map { $0.hooks() })
        set(\.stopTimeout, fields[.stopTimeout]?.duration())
        set(\.hiddenData, fields[.hiddenData]?.word(ServerSpec.HiddenData.self))
    }
}

extension Value {
    // The fastest: a small guest with KVM.
    private static let shortestGap = Duration.seconds(5)

    /// Warns where requests hardly wait for as long as nobody serves.
    func judgeHold(_ spec: ServerSpec) {
        guard spec.strategy == .stopFirst, let hold = spec.hold, hold < Value.shortestGap else { return }
        warning(
            "with stop-first nobody serves during a shutdown and a boot, which seldom takes less than 5s: requests get 503 before "
                + "it ends; make it longer, or replace by warm-first"
        )
    }

    /// Warns where machines of the image would boot all the same.
    func judgeLaunch(_ spec: ServerSpec, _ image: ImageManifest?) {
        guard spec.launch == .flash, let image else { return }
        guard image.cloudInit != .none, image.flash == true else {
            return warning(
                "the image \(image.title) does not say 'flash: true', so nothing holds its boot, and its machines boot as without "
                    + "this; leave it out, or choose another image"
            )
        }
    }

    /// How one generation follows another.
    func strategy() -> Strategy? {
        guard case .scalar(let scalar) = node.content, scalar.text == "blue-green" else { return word(Strategy.self) }
        problem(
            "blue-green is not done: what the other colour acknowledged after its volumes were copied would be lost; 'kiln replace "
                + "--rehearse' tries a new generation on clones first, warm-first boots it beside the old one, and members get it one "
                + "after the other"
        )
        return nil
    }

    /// A list of absolute paths in a guest.
    func guestPaths(_ expected: String) -> [String] {
        (list(of: "absolute paths") ?? []).compactMap { $0.guestPath(expected) }
    }
}
