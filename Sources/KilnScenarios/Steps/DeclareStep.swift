import KilnDocuments
import KilnEngine
import KilnModel

/// `declare`: declares a server otherwise, as a lab file that is changed and `kiln up` do.
struct DeclareStep: StepAction {
    static let kind = StepKind(
        word: "declare",
        about: "Declares a server otherwise, as 'kiln up' does with a changed lab file; what runs stays as it is.",
        fields: { Schema.object(DeclareFields.self, $0) },
        decode: { DeclareStep($0, $1) }
    )

    /// User-data in one of both forms.
    struct UserData: Sendable {
        let config: JSONValue?
        let document: UserDataDocument?
    }

    let server: Name
    let userData: UserData?
    let replicas: Int?

    init?(_ value: Value, _ reader: StepReader) {
        guard let fields = Fields<DeclareFields>(value, "a map with 'server' and what is declared of it") else {
            return nil
        }
        if fields.hasOnly([.server]) { value.problem("nothing is declared; add user-data or replicas") }
        let server = reader.server(fields[.server])
        let spec = server.flatMap(reader.lab.server)?.spec
        let replicas = fields[.replicas]?.whole(in: 1...MemberID.most)
        if let spec, spec.fleet == nil { fields[.replicas]?.problem("it declares no 'replicas' in the lab; add that") }
        if let spec, spec.autoscale != nil {
            fields[.replicas]?.problem(
                "it declares 'autoscale', by which it keeps the number that it has; leave this out"
            )
        }
        // What could not be read is a problem by now, and a file with problems is not run.
        guard let server, let spec else { return nil }
        if let replicas { reader.declare(server, members: replicas) }
        self.server = server
        self.replicas = replicas
        userData = fields[.userData].flatMap { DeclareStep.userData($0, of: server, spec, reader) }
    }

    private static func userData(
        _ value: Value,
        of server: Name,
        _ spec: ServerSpec,
        _ reader: StepReader
    ) -> UserData? {
        guard let data = UserDataDecoder(spec.image, nil).decode(value) else { return nil }
        for text in data.texts { UserDataDecoder.checkReferences(text, from: server, spec.network, reader.lab) }
        if spec.strategy == .warmFirst { PlacedOwnMount.all(in: data, of: spec.volumes).forEach { $0.refuse() } }
        return UserData(config: data.config, document: data.document)
    }

    var summary: String { "declare \(server)" }

    var secrets: [String] {
        RunSecrets.ofUserData(userData?.config, userData?.document)
    }

    // What runs at the same time must not change the server, either.
    func foresee(_ forecast: inout LabForecast) { forecast.replace(server) }

    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield {
        let lab = changed(try context.engine.lab(context.lab.name))
        await context.remember(try await context.engine.up(lab, only: [server]))
        return StepYield()
    }

    private func changed(_ lab: LabSpec) -> LabSpec {
        guard var spec = lab.servers[server] else { return lab }
        if let userData {
            spec.userData = userData.config
            spec.userDataDocument = userData.document
        }
        if let replicas { spec.fleet?.replicas = replicas }
        return lab.with([server: spec])
    }
}

/// The fields of a `declare` step: those of the server that can be others.
enum DeclareFields: String, FileField {
    case server, replicas
    case userData = "user-data"

    static let required: [DeclareFields] = [.server]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .replicas: ServerFields.replicas.schema
        case .userData: ServerFields.userData.schema
        }
    }
}
