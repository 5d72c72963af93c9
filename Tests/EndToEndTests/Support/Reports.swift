/// What `ps`, `up`, `start` and `stop` say in JSON.
struct ServerListReport: Decodable {
    let servers: [ServerReport]
}

/// One server in it.
struct ServerReport: Decodable {
    struct Image: Decodable, Equatable {
        let name: String
        let version: String
        let digest: String
    }

    struct Port: Decodable {
        let host: UInt16
        let guest: UInt16
    }

    struct Operation: Decodable {
        let number: Int
        let step: String
        let pid: Int32?
    }

    let lab: String
    let name: String
    let generation: Int?
    let state: String
    let image: Image?
    let instanceID: String?
    let ports: [String: Port]
    let operation: Operation?
    let halted: Bool

    enum CodingKeys: String, CodingKey {
        case lab, name, generation, state, image, ports, operation, halted
        case instanceID = "instance_id"
    }
}

/// What `history` says in JSON.
struct HistoryReport: Decodable {
    struct Operation: Decodable {
        let number: Int
        let from: Int?
        let to: Int
        let image: String
        let outcome: String?
    }

    let current: Int?
    let operations: [Operation]
}

/// What `volume list` says in JSON.
struct VolumeListReport: Decodable {
    let volumes: [VolumeReport]
    let retained: [String]
}

/// One volume in it.
struct VolumeReport: Decodable {
    let lab: String
    let name: String
    let id: String
    let holder: String?
}

/// What `replace` says in JSON.
struct ReplacementResultReport: Decodable {
    struct Turn: Decodable {
        let step: String
        let code: String
        let reason: String
    }

    let outcome: String
    let exit: Int32
    let turn: Turn?
    let reason: String?
    let evidence: String?
    let discarded: [String]?
}

/// What `recover` says in JSON.
struct RecoveryReport: Decodable {
    struct Recovered: Decodable {
        let outcome: String
        let discarded: [String]?
    }

    let recovered: [Recovered]
}

/// What any command says in JSON where it fails.
struct FailureReport: Decodable {
    struct Failure: Decodable {
        let code: String
        let message: String
        let hint: String?
        let cause: String?
    }

    let error: Failure
}

/// What `run` says in JSON.
struct RunReport: Decodable {
    struct Ledger: Decodable {
        let acknowledged: Int
        let lost: Int
        let torn: Int
        let duplicated: Int
    }

    struct Step: Decodable {
        let name: String
        let outcome: String
        let ms: Int
    }

    struct Server: Decodable {
        let name: String
        let generation: Int
        let image: ServerReport.Image
        let instanceID: String

        enum CodingKeys: String, CodingKey {
            case name, generation, image
            case instanceID = "instance_id"
        }
    }

    let outcome: String
    let exit: Int32
    let ledger: Ledger?
    let unavailableMS: Int?
    let steps: [Step]
    let servers: [Server]

    enum CodingKeys: String, CodingKey {
        case outcome, exit, ledger, steps, servers
        case unavailableMS = "unavailable_ms"
    }
}
