import KilnModel

/// Reads requests over HTTP and what has to come back.
struct HTTPDecoder<Place: CheckPlace> {
    let place: Place

    /// A request.
    ///
    /// All is read before anything is given up, so that all problems are reported.
    func probe(_ field: (HTTPFields<Place>) -> Value?) -> HTTPProbe? {
        let port = field(.port).flatMap(place.port)
        let path = field(.path)?.urlPath()
        let method = field(.method).map { $0.word(HTTPProbe.Method.self) } ?? .get
        let headers = field(.headers).map { $0.headers() } ?? [:]
        let body = field(.body)?.text()
        let isTLS = field(.tls) != nil
        let tls = field(.tls)?.tls()
        let status = field(.status).map { $0.statuses() } ?? HTTPStatuses(200)
        let contains = field(.contains)?.text()
        if method == .head { refuseBodies(field) }
        if method == .get { refuseSent(field) }
        guard let port, let path, let method, let headers, let status, isTLS == (tls != nil) else { return nil }
        return HTTPProbe(
            port: port,
            path: path,
            method: method,
            headers: headers,
            body: body,
            tls: tls,
            status: status,
            contains: contains
        )
    }

    // In goss the same word is what comes back: it would look like an expectation, and expect nothing.
    private func refuseSent(_ field: (HTTPFields<Place>) -> Value?) {
        field(.body)?.problem(
            "it is what the request sends, and a GET request sends nothing; what the answer has to contain is 'contains', and to send it use another 'method'"
        )
    }

    private func refuseBodies(_ field: (HTTPFields<Place>) -> Value?) {
        field(.body)?.problem(
            "a HEAD request has no body; to send one use another 'method', and to look into the answer GET with 'contains'"
        )
        field(.contains)?.problem("the answer to a HEAD request has no body to look in; use GET")
    }
}

extension Value {
    fileprivate func urlPath() -> String? {
        let expected = "a path that starts with '/' and has no blanks"
        guard let text = text(expected) else { return nil }
        guard HTTPProbe.isPath(text) else {
            mismatch(expected)
            return nil
        }
        return text
    }

    // What libcurl computes itself.
    private static let computed: Set = ["content-length", "transfer-encoding", "connection", "expect"]

    fileprivate func headers() -> [String: String]? {
        guard let entries = entries(of: "header fields and their texts") else { return nil }
        var headers: [String: String] = [:]
        for (entry, value) in entries {
            let name = value.placed(at: entry.position)
            if !HTTPProbe.isHeaderName(entry.key) {
                name.problem("expected the name of a header field, such as Accept, found \(Name.quoted(entry.key))")
            } else if Value.computed.contains(entry.key.lowercased()) {
                name.problem("the field '\(entry.key)' follows from the request; leave it out")
            }
            guard let text = value.isEmptyText ? "" : value.text() else { continue }
            if !HTTPProbe.isHeaderValue(text) { value.mismatch("one line of at most 8 KiB without control characters") }
            headers[entry.key] = text
        }
        return headers
    }

    fileprivate func statuses() -> HTTPStatuses? {
        var texts: [String] = []
        for value in isList ? list(of: "statuses") ?? [] : [self] { texts += value.status().map { [$0] } ?? [] }
        return HTTPStatuses(texts)
    }

    private func status() -> String? {
        guard case .scalar(let scalar) = node.content, HTTPStatuses([scalar.text]) != nil else {
            mismatch("a status from 100 to 599, or a class of them, such as 2xx")
            return nil
        }
        return scalar.text
    }

    private var isList: Bool { if case .list = node.content { true } else { false } }

    fileprivate func tls() -> HTTPProbe.TLS? {
        if case .scalar(let scalar) = node.content, scalar.isPlain, scalar.text == "true" { return HTTPProbe.TLS() }
        guard let fields = Fields<TLSFields>(self, "true, or a map with settings") else { return nil }
        let isVerified = fields[.verify].map { $0.bool() } ?? true
        let authorities = fields[.ca]?.certificates()
        let name = fields[.serverName].map { $0.hostName() } ?? "localhost"
        if isVerified == false { fields[.ca]?.problem("nobody's signature is looked for with 'verify: false'") }
        guard let isVerified, let name, (fields[.ca] == nil) == (authorities == nil) else { return nil }
        return HTTPProbe.TLS(isVerified: isVerified, authorities: authorities, serverName: name)
    }

    private func hostName() -> String? {
        let expected = "a host's name, or an address such as 127.0.0.1"
        guard let text = text(expected) else { return nil }
        guard (try? Regex(TLSFields.namePattern).wholeMatch(in: text)) != nil else {
            mismatch(expected)
            return nil
        }
        return text
    }

    // The content, so that the lab needs the file no more once it is up.
    private func certificates() -> String? {
        guard let name = text("the path of a PEM file") else { return nil }
        let folder = problems.file.lastIndex(of: "/").map { problems.file[...$0] } ?? ""
        let found = ProblemList(file: name.hasPrefix("/") ? name : folder + name)
        let text = TextFile.read(found.file, found)
        if let text, !text.contains("-----BEGIN CERTIFICATE-----") {
            found.add(
                Position(line: 1, column: 1),
                "",
                "expected certificates as PEM: no '-----BEGIN CERTIFICATE-----'"
            )
        }
        problems.include(found)
        return text
    }
}
