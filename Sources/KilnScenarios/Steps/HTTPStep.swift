import KilnDocuments
import KilnEngine
import KilnModel

/// `http`: makes a request through a published port, which has to be answered as expected.
struct HTTPStep: StepAction {
    static let kind = StepKind(
        word: "http",
        about: "Makes a request through a published port, which has to be answered as expected.",
        fields: { ExpectedHTTP.schema($0, besides: ServerOnlyFields.self) },
        decode: { HTTPStep($0, $1) }
    )

    let server: Name
    let request: HTTPExpectation

    init?(_ value: Value, _ reader: StepReader) {
        let found = ExpectedHTTP.read(value, besides: ServerOnlyFields.self) { field in
            reader.server(field(.server)).map { ($0, reader.lab.server($0)?.tcpPorts ?? []) }
        }
        guard let found, reader.takeAll(value) else { return nil }
        server = found.place
        request = HTTPExpectation(probe: found.probe, timeout: found.timeout)
    }

    var secrets: [String] { RunSecrets.headers(request.probe) }

    var summary: String { "http \(server) \(request.probe.method.rawValue) \(request.probe.path)" }

    func foresee(_ forecast: inout LabForecast) { forecast.require(server) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let status = try await context.engine.status(context.id(server))
        try await request.require(of: status, context)
        return StepYield()
    }
}

/// The field that says which server is meant.
enum ServerOnlyFields: String, FileField {
    case server

    static let required: [ServerOnlyFields] = [.server]

    var schema: JSONValue { Schema.name("The server.") }
}
