import KilnDocuments
import KilnModel

extension ServerEdits {
    /// Reads how many members the server has, and how those come and go.
    mutating func readFleet(_ fields: Fields<ServerFields>, _ published: [Name: PortSpec]) {
        guard let replicas = fields[.replicas] else { return refuseFleetFields(fields) }
        let source = fields[.volumeFrom].map { $0.volumeSource() }
        let rollout = fields[.rollout].map { $0.rollout() }
        set(\.afterClone, fields[.afterClone].map { $0.hooks() })
        guard let count = replicas.whole(in: 1...MemberID.most) else { return }
        if count > 1, let port = published.first(where: { $0.value.transport == .udp })?.key {
            replicas.problem(
                "the port '\(port)' is for datagrams, which one machine gets; publish it from a server without replicas"
            )
        }
        let fleet = FleetSpec(
            replicas: count,
            volumeFrom: source.flatMap(\.self) ?? .clone(ordinal: nil),
            rollout: rollout.flatMap(\.self) ?? RolloutSpec()
        )
        if let field = fields[.rollout] {
            for problem in fleet.rollout.problems(replicas: count) {
                field.problem("\(problem.field): \(problem.message)")
            }
        }
        set(\.fleet, fleet)
    }

    private func refuseFleetFields(_ fields: Fields<ServerFields>) {
        for field in [ServerFields.volumeFrom, .afterClone, .rollout, .autoscale] {
            fields[field]?.problem("it is about members, which takes 'replicas'; add that, or leave this out")
        }
    }
}

extension DecodedLab {
    /// Refuses servers and volumes that are called as a member, or a member's volume, of another one; and names that leave no
    /// room for an ordinal.
    func refuseNamesOfMembers(_ fields: Fields<LabFields>) {
        let (servers, volumes) = (places(of: fields[.servers]), places(of: fields[.volumes]))
        for server in self.servers {
            guard let spec = server.spec, spec.fleet != nil else { continue }
            refuse(server.name, "server", among: servers)
            for volume in spec.volumes.keys.sorted() { refuse(volume, "volume", among: volumes) }
        }
    }

    private func refuse(_ name: Name, _ kind: String, among places: [Name: Value]) {
        for ordinal in 1..<MemberID.most {
            guard let own = try? MemberID(lab: name, server: name, ordinal: ordinal).own(name) else {
                places[name]?.problem(
                    "too long for a \(kind) of members, which get their ordinals behind it; make it shorter"
                )
                return
            }
            places[own]?.problem("member \(ordinal)'s \(kind) '\(name)' has this name; call it otherwise")
        }
    }

    private func places(of value: Value?) -> [Name: Value] {
        guard case .map(let entries)? = value?.node.content, let value else { return [:] }
        return entries.reduce(into: [:]) { places, entry in
            guard let name = try? Name(entry.key) else { return }
            places[name] = value.placed(at: entry.position)
        }
    }
}

extension Value {
    /// `clone`, `clone 1`, `snapshot NAME` or `empty`.
    fileprivate func volumeSource() -> FleetSpec.VolumeSource? {
        guard let text = text() else { return nil }
        if let source = FleetSpec.VolumeSource(text) { return source }
        mismatch("clone, clone ORDINAL, snapshot NAME or empty")
        return nil
    }

    fileprivate func rollout() -> RolloutSpec? {
        guard let fields = Fields<RolloutFields>(self, "a map, such as 'max-unavailable: 1'") else { return nil }
        var spec = RolloutSpec()
        func set<Field>(_ path: WritableKeyPath<RolloutSpec, Field>, _ value: Field?) {
            if let value { spec[keyPath: path] = value }
        }
        set(\.maxUnavailable, fields[.maxUnavailable]?.whole(in: 0...MemberID.most))
        set(\.maxSurge, fields[.maxSurge]?.whole(in: 0...MemberID.most))
        set(\.partition, fields[.partition]?.whole(in: 0...MemberID.most))
        set(\.canaries, fields[.canaries]?.whole(in: 0...MemberID.most))
        set(\.pause, fields[.pause]?.pause())
        set(\.soak, fields[.soak]?.duration())
        set(\.progressDeadline, fields[.progressDeadline]?.duration())
        set(\.onFailure, fields[.onFailure]?.word(RolloutSpec.OnFailure.self))
        set(\.judge, fields[.judge]?.judge())
        return spec
    }

    private func pause() -> RolloutSpec.Pause? {
        if case .scalar(let scalar) = node.content, scalar.text == RolloutFields.untilPromoted { return .untilPromoted }
        return duration().map { .lasting($0) }
    }

    private func judge() -> RolloutJudgeSpec? {
        guard let fields = Fields<JudgeFields>(self, "a map, such as 'requests: 50', or {}") else { return nil }
        let usual = RolloutJudgeSpec()
        return RolloutJudgeSpec(
            requests: fields[.requests]?.whole(in: 1...1_000_000) ?? usual.requests,
            moreErrors: fields[.moreErrors]?.whole(in: 0...100).map(Double.init) ?? usual.moreErrors,
            timesSlower: fields[.timesSlower]?.whole(in: 1...100).map(Double.init) ?? usual.timesSlower
        )
    }
}
