import KilnDocuments
import KilnEngine
import KilnModel

extension ExpectStep {
    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<ExpectFields>(value, "a map with 'server' and what is expected") else { return nil }
        if fields.hasOnly([.server, .eventually, .always, .never]) {
            let others = ExpectFields.things.map(\.rawValue).joined(separator: ", ")
            value.problem("nothing is expected; add one of \(others)")
        }
        let server = reader.member(fields[.server])
        let generation = fields[.generation]?.whole(in: 1...1_000_000).map { Generation($0) }
        let ready = fields[.ready]?.bool()
        if ready == false {
            fields[.ready]?.problem("expected true, found false: nothing can wait for a server not to be ready")
        }
        let image = fields[.image].flatMap(ExpectStep.image)
        let ports = server.flatMap { reader.lab.server($0.server) }?.tcpPorts ?? []
        let http = server == nil ? nil : fields[.http].flatMap { HTTPExpectation($0, reader, ports: ports) }
        let drift = fields[.drift]?.word(ExpectedDrift.self)
        let checks = fields[.checks].map { CheckDecoder(ScenarioChecks(ports: ports)).list($0) } ?? []
        // What could not be read is a problem by now, and a file with problems is not run.
        guard let server else { return nil }
        self.server = server
        self.generation = generation
        self.ready = ready == true
        self.image = image
        self.http = http
        isUndrifted = drift == ExpectedDrift.nothing
        self.checks = checks
        time = ExpectedTime(fields)
        let declared = reader.lab.server(server.server)?.spec?.volumes.keys.sorted() ?? reader.lab.volumeNames
        let names = declared.compactMap { try? server.id(in: $0).own($0) }
        let expected = fields[.volumes].map { ExpectedVolume.all(in: $0, reader, of: names) } ?? []
        volumes = names.map { name in expected.first { $0.name == name } ?? ExpectedVolume(name) }
        facts = ExpectStep.facts(fields, reader) + expected.map { .volume($0) }
    }

    private static func facts(_ fields: Fields<ExpectFields>, _ reader: StepReader) -> [ExpectedFact] {
        let failed = fields[.failedRequestsAtMost]?.whole(in: 0...1_000_000)
        let gap = fields[.unavailableAtMost]?.duration()
        let hidden = fields[.hidden]?.word(ExpectedDrift.self)
        return [
            fields[.attested]?.bool().map { .attested($0) },
            fields[.cloned]?.bool().map { .cloned($0) },
            fields[.channel]?.newName().map { .channel($0) },
            fields[.configuration]?.word(ExpectedConfiguration.self).map { .configuration($0) },
            fields[.latest].flatMap { ExpectedLatest($0) }.map { .latest($0) },
            fields[.instanceID].flatMap { ExpectedText($0, reader) }.map { .instanceID($0) },
            fields[.bootID].flatMap { ExpectedText($0, reader) }.map { .bootID($0) },
            fields[.readyWithin]?.duration().map { .readyWithin($0) },
            fields[.hostKey].flatMap { ExpectedText($0, reader, HostKeyFingerprint.form) }.map { .hostKey($0) },
            fields[.console]?.patterns().map { .console($0) },
            hidden.map { _ in .hidesNothing },
            failed == nil && gap == nil
                ? nil : .availability(AvailabilityExpectation(failedAtMost: failed, gapAtMost: gap)),
        ].compactMap(\.self)
    }

    // What a server's image is compared with; a channel may have moved since it was made.
    private static func image(_ value: Value) -> ImageReference? {
        let image = value.image()
        guard case .channel? = image?.selector else { return image }
        value.problem("a channel moves, so nothing is compared with it; expected name, name:version or name@sha256:…")
        return nil
    }
}
