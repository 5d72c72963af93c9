import Foundation
import KilnEngine
import KilnModel

extension ScenarioRunner {
    /// Performs one step; returns what is worth telling about it.
    func perform(_ step: Step, _ run: inout RunState) async throws -> String? {
        switch step.action {
        case .up(let names): return try await up(names, &run)
        case .exec(let command): return try await exec(command)
        case .writeLedger(let server, let path): return try await writeLedger(server, path, &run)
        case .verifyLedger(let server, let path, let atLeast):
            return try await verifyLedger(server, path, atLeast, &run)
        case .replace(let replacement): return try await replace(replacement, &run)
        case .rollback(let back): return try await rollback(back, &run)
        case .volumeSnapshot(let volume, let name):
            let snapshot = try await engine.snapshotVolume(lab: scenario.name, volume, as: name)
            return "\(snapshot.name), \(snapshot.consistency.rawValue)"
        case .stop(let names): return try await forEach(names) { try await engine.stop($0) }
        case .start(let names): return try await forEach(names) { try await engine.start($0) }
        case .expect(let expectation): return try await expect(expectation, &run)
        case .down:
            await rememberServers(&run)
            try await engine.down(scenario.name)
            return nil
        }
    }

    func id(_ name: Name) -> ServerID { ServerID(lab: scenario.name, server: name) }

    private func forEach(_ names: [Name], _ body: (ServerID) async throws -> Void) async throws -> String? {
        for name in names { try await body(id(name)) }
        return nil
    }

    private func up(_ names: [Name], _ run: inout RunState) async throws -> String? {
        for status in try await engine.up(scenario.lab, only: names) { run.servers[status.name] = status }
        return nil
    }

    private func exec(_ command: Step.Command) async throws -> String? {
        let result = try await engine.run(GuestCommand(command.arguments), on: id(command.server))
        guard result.status == Int32(command.exit) else {
            let errors = Name.quoted(String(decoding: result.errors.prefix(300), as: UTF8.self))
            throw Unmet(
                "\(command.server): exit status \(command.exit) expected, \(result.status) found; it said \(errors)"
            )
        }
        if let text = command.contains, !String(decoding: result.output, as: UTF8.self).contains(text) {
            let found = Name.quoted(String(decoding: result.output.prefix(300), as: UTF8.self))
            throw Unmet("\(command.server): \(Name.quoted(text)) expected in the output, found \(found)")
        }
        return nil
    }

    private func writeLedger(_ server: Name, _ path: String, _ run: inout RunState) async throws -> String? {
        let session = try LedgerSession(
            engine: engine,
            server: id(server),
            path: path,
            list: try engine.makeScratchFile(acknowledgedName(server))
        )
        run.ledgers[server] = session
        try await session.start()
        return nil
    }

    private func verifyLedger(
        _ server: Name,
        _ path: String,
        _ atLeast: Int,
        _ run: inout RunState
    ) async throws -> String? {
        guard let session = run.ledgers[server] else { throw Unmet("no ledger is being written on \(server)") }
        try await session.awaitRecords(atLeast)
        let verdict = try await session.verdict()
        run.verdict = run.verdict.map { $0 + verdict } ?? verdict
        run.ledgers[server] = nil
        guard verdict.isClean else { throw DataLoss(verdict) }
        return "acknowledged \(verdict.acknowledged), lost 0, torn 0, duplicated 0"
    }

    private func expect(_ expected: Step.Expectation, _ run: inout RunState) async throws -> String? {
        let status = try await engine.status(id(expected.server))
        run.servers[expected.server] = status
        if let generation = expected.generation, status.generation != generation {
            throw Unmet(
                "\(expected.server): generation \(generation) expected, \(status.generation.map(\.description) ?? "none") found"
            )
        }
        if let image = expected.image, status.image.map({ image.names($0) }) != true {
            let found = status.image.map { "\($0.name):\($0.version)" } ?? "none"
            throw Unmet("\(expected.server): image \(image) expected, \(found) found")
        }
        if expected.ready == true { try await expectReady(expected.server) }
        if let http = expected.http { try await expect(http, of: expected.server, status) }
        if let drift = expected.drift { try await expect(drift, of: expected.server) }
        return nil
    }

    private func expect(_ drift: Step.Expectation.Drift, of server: Name) async throws {
        let report = try await engine.drift(id(server))
        switch drift {
        case .nothing where !report.observable:
            throw Unmet("\(server): no drift expected, but its root can't be observed: \(report.reason ?? "")")
        case .nothing where report.isDrifted:
            let paths = (report.added + report.modified.map(\.path) + report.deleted).map(\.description)
            let found = paths + report.packages.map { "package \($0.name)" }
            let shown =
                found.prefix(3).joined(separator: ", ") + (found.count > 3 ? " and \(found.count - 3) more" : "")
            throw Unmet("\(server): no drift expected, found \(shown)", hint: "'kiln drift' lists all of it")
        case .nothing: return
        }
    }

    private func expect(_ http: Step.Expectation.HTTP, of server: Name, _ status: ServerStatus) async throws {
        let probe = http.probe
        let port = status.ports[probe.port]?.host ?? 0
        let finding = await network.http(probe, on: port, within: http.timeout)
        switch finding {
        case .holds: return
        case .notYet(let found), .failed(let found), .dataDamaged(let found):
            throw Unmet(
                "\(server): \(probe.method.rawValue) \(probe.path): "
                    + "\(probe.contains.map { Name.quoted($0) } ?? "\(probe.status)") expected, \(found) found"
            )
        }
    }

    private func expectReady(_ server: Name) async throws {
        do {
            try await engine.awaitReady(id(server))
        } catch let error as KilnError where ErrorCode.readiness.contains(error.code) {
            throw Unmet("\(server): ready expected; \(error.message)")
        }
    }

    private func rememberServers(_ run: inout RunState) async {
        for status in (try? await engine.statuses(scenario.name)) ?? [] { run.servers[status.name] = status }
    }
}

extension ImageReference {
    /// Whether this reference can mean that image.
    func names(_ image: ServerStatus.Image) -> Bool {
        guard name == image.name else { return false }
        return switch selector {
        case .latest: true
        case .version(let version): version == image.version
        case .digest(let digest): digest == image.digest
        // A channel moves, and the decoder takes none where an image is expected.
        case .channel: false
        }
    }
}
