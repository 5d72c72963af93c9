import KilnDocuments
import KilnModel

/// Reads one step.
struct StepDecoder {
    let lab: DecodedLab

    private var names: [Name] { lab.servers.map(\.name) }

    func decode(_ value: Value) -> Step? {
        action(value).map { Step(action: $0, position: value.node.position) }
    }

    private func action(_ value: Value) -> Step.Action? {
        if case .scalar(let scalar) = value.node.content {
            switch StepWord(rawValue: scalar.text) {
            case .up: return .up(names)
            case .down: return .down
            case nil:
                let words = StepFields.allCases.map(\.rawValue)
                let suggestion = Suggestion.text(for: scalar.text, among: words)
                value.mismatch("a step: a map of one of \(words.joined(separator: ", "))\(suggestion)")
                return nil
            }
        }
        guard let (kind, value) = value.oneField(of: StepFields.self, "step") else { return nil }
        switch kind {
        case .up: return servers(value).map { .up($0) }
        case .stop: return servers(value).map { .stop($0) }
        case .start: return servers(value).map { .start($0) }
        case .down: return all(value, "'all' or nothing") ? .down : nil
        case .exec: return exec(value)
        case .replace: return replace(value)
        case .rollback: return rollback(value)
        case .volumeSnapshot: return volumeSnapshot(value)
        case .expect: return expect(value)
        case .writeLedger: return writeLedger(value)
        case .verifyLedger: return verifyLedger(value)
        }
    }

    /// Some servers by name, or all of them.
    private func servers(_ value: Value) -> [Name]? {
        guard case .list = value.node.content else {
            return all(value, "a list of servers, or 'all'") ? names : nil
        }
        guard let elements = value.list(of: "servers") else { return nil }
        var found: [Name] = []
        for element in elements {
            guard let name = element.reference("server", among: names) else { continue }
            if found.contains(name) {
                element.problem("the server '\(name)' is named twice")
            } else {
                found.append(name)
            }
        }
        return found.count == elements.count ? found : nil
    }

    private func all(_ value: Value, _ expected: String) -> Bool {
        if case .scalar(let scalar) = value.node.content, scalar.meaning == .nothing || scalar.text == "all" {
            return true
        }
        value.mismatch(expected)
        return false
    }

    private func server(_ value: Value?) -> Name? { value?.reference("server", among: names) }
}

extension StepDecoder {
    private func exec(_ value: Value) -> Step.Action? {
        guard let fields = Fields<ExecFields>(value, "a map with 'server' and 'command'") else { return nil }
        let server = server(fields[.server])
        let arguments = fields[.command]?.command()
        let exit = fields[.exit].map { $0.whole(in: 0...255) } ?? 0
        let contains = fields[.contains]?.text()
        guard let server, let arguments, let exit else { return nil }
        return .exec(Step.Command(server: server, arguments: arguments, exit: exit, contains: contains))
    }

    private func expect(_ value: Value) -> Step.Action? {
        guard let fields = Fields<ExpectFields>(value, "a map with 'server' and what is expected") else { return nil }
        if fields.hasOnly([.server]) {
            let others = ExpectFields.allCases.dropFirst().map(\.rawValue).joined(separator: ", ")
            value.problem("nothing is expected; add one of \(others)")
        }
        let server = server(fields[.server])
        let generation = fields[.generation]?.whole(in: 1...1_000_000).map { Generation($0) }
        let ready = fields[.ready]?.bool()
        if ready == false {
            fields[.ready]?.problem("expected true, found false: nothing can wait for a server not to be ready")
        }
        let image = fields[.image].flatMap(expectedImage)
        let ports = server.flatMap(lab.server)?.tcpPorts ?? []
        let http =
            server == nil
            ? nil
            : fields[.http].flatMap { ExpectedHTTP.read($0, ports: ports) }
                .map { Step.Expectation.HTTP($0.probe, timeout: $0.timeout) }
        let drift = fields[.drift]?.word(Step.Expectation.Drift.self)
        return server.map {
            .expect(
                Step.Expectation(
                    server: $0,
                    generation: generation,
                    ready: ready,
                    image: image,
                    http: http,
                    drift: drift
                )
            )
        }
    }

    private func writeLedger(_ value: Value) -> Step.Action? {
        guard let fields = Fields<WriteLedgerFields>(value, "a map with 'server' and 'path'") else { return nil }
        let server = server(fields[.server])
        guard let path = fields[.path]?.guestPath("the ledger's file"), let server else { return nil }
        if let declared = lab.server(server), declared.spec != nil,
            !declared.mounts.contains(where: { path.hasPrefix($0 + "/") })
        {
            let mounts = declared.mounts.sorted().joined(separator: ", ")
            fields[.path]?.problem(
                "expected a file on a volume of '\(server)' (\(mounts.isEmpty ? "it has none" : mounts)), found '\(path)'; "
                    + "anything else is gone after a replacement"
            )
        }
        return .writeLedger(server: server, path: path)
    }

    private func verifyLedger(_ value: Value) -> Step.Action? {
        guard let fields = Fields<VerifyLedgerFields>(value, "a map with 'server'") else { return nil }
        let server = server(fields[.server])
        let least = fields[.recordsAtLeast].map { $0.whole(in: 1...10_000_000) } ?? 1
        guard let server, let least else { return nil }
        return .verifyLedger(server: server, path: "", recordsAtLeast: least)
    }
}

extension StepDecoder {
    // What a server's image is compared with; a channel may have moved since it was made.
    private func expectedImage(_ value: Value) -> ImageReference? {
        let image = value.image()
        guard case .channel? = image?.selector else { return image }
        value.problem("a channel moves, so nothing is compared with it; expected name, name:version or name@sha256:…")
        return nil
    }

    private func replace(_ value: Value) -> Step.Action? {
        guard let fields = Fields<ReplaceFields>(value, "a map with 'server'") else { return nil }
        let server = server(fields[.server])
        let image = fields[.image]?.image()
        let strategy = fields[.strategy]?.word(Strategy.self)
        let data = fields[.dataOnRevert].map { $0.word(DataOnRevert.self) } ?? .keep
        let forceStop = fields[.forceStop].map { $0.bool() } ?? false
        let rehearsesFirst = fields[.rehearse].map { $0.bool() } ?? false
        let outcome = fields[.outcome].map { $0.word(Step.Outcome.self) } ?? .committed
        guard let server, let data, let forceStop, let rehearsesFirst, let outcome else { return nil }
        if strategy == .warmFirst, let declared = lab.server(server), declared.spec?.strategy == .stopFirst,
            let found = declared.ownMounts.first
        {
            fields[.strategy]?.problem(found.refusal(of: server))
        }
        return .replace(
            Step.Replacement(
                server: server,
                image: image,
                strategy: strategy,
                dataOnRevert: data,
                forceStop: forceStop,
                rehearsesFirst: rehearsesFirst,
                outcome: outcome
            )
        )
    }

    private func rollback(_ value: Value) -> Step.Action? {
        guard let fields = Fields<RollbackFields>(value, "a map with 'server'") else { return nil }
        let server = server(fields[.server])
        let generation = fields[.to]?.whole(in: 1...1_000_000).map { Generation($0) }
        let outcome = fields[.outcome].map { $0.word(Step.Outcome.self) } ?? .committed
        guard let server, let outcome else { return nil }
        return .rollback(Step.Rollback(server: server, to: generation, outcome: outcome))
    }

    private func volumeSnapshot(_ value: Value) -> Step.Action? {
        guard let fields = Fields<VolumeSnapshotFields>(value, "a map with 'volume'") else { return nil }
        let volume = fields[.volume]?.reference("volume", among: lab.volumeNames)
        let name = fields[.name].map { $0.newName() }
        guard let volume, name != .some(nil) else { return nil }
        return .volumeSnapshot(volume: volume, name: name ?? nil)
    }
}
