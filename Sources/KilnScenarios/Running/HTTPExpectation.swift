import KilnDocuments
import KilnEngine
import KilnModel

/// A request through a published port that has to be answered in time; its texts may hold saved values.
struct HTTPExpectation: Sendable, Hashable {
    /// The request and the expected answer.
    let probe: HTTPProbe
    /// How long it may take.
    let timeout: Duration

    init(probe: HTTPProbe, timeout: Duration = Check.usualTimeout) {
        self.probe = probe
        self.timeout = timeout
    }

    /// Reads one.
    init?(_ value: Value, _ reader: StepReader, ports: [Name]) {
        let found = ExpectedHTTP.read(value, ports: ports)
        guard let found, reader.takeAll(value) else { return nil }
        self.init(probe: found.probe, timeout: found.timeout)
    }

    /// Asks once.
    ///
    /// - Throws: `Unmet` where the answer is another.
    func require(of status: ServerStatus, _ context: RunContext) async throws {
        let probe = try probe.resolved(await context.known)
        guard let port = status.ports[probe.port]?.host else {
            throw Unmet("\(status.id.title): a published port \(probe.port) expected, none found")
        }
        switch await context.network.http(probe, on: port, within: context.scale.of(timeout)) {
        case .holds: return
        case .notYet(let found), .failed(let found), .dataDamaged(let found):
            throw Unmet(
                "\(status.id.title): \(probe.method.rawValue) \(probe.path): "
                    + "\(probe.contains.map { Name.quoted($0) } ?? "\(probe.status)") expected, \(found) found"
            )
        }
    }
}

extension HTTPProbe {
    /// The same with what was saved in its texts.
    ///
    /// - Throws: `Unmet` where that makes no request.
    fileprivate func resolved(_ known: KnownTexts) throws -> HTTPProbe {
        func text(_ text: String) -> String { SavedText(text)?.resolved(known) ?? text }
        let (path, headers) = (text(path), headers.mapValues(text))
        guard HTTPProbe.isPath(path) else { throw Unmet("a path without blanks expected, \(Name.quoted(path)) saved") }
        guard headers.values.allSatisfy(HTTPProbe.isHeaderValue) else {
            throw Unmet("one line of at most 8 KiB expected in a header, other text saved")
        }
        return HTTPProbe(
            port: port,
            path: path,
            method: method,
            headers: headers,
            body: body.map(text),
            tls: tls,
            status: status,
            contains: contains.map(text)
        )
    }
}
