import Foundation

@testable import KilnEngine
@testable import KilnModel

/// Values that several tests show.
enum Fixtures {
    static func id(_ lab: String, _ server: String) throws -> MemberID {
        MemberID(lab: try Name(lab), server: try Name(server))
    }

    static func digest() throws -> ImageDigest {
        guard let digest = ImageDigest(String(repeating: "ab", count: 32)) else { throw KilnError("test", "no digest") }
        return digest
    }

    static func status(
        _ server: String,
        generation: Int? = 1,
        state: MachineState = .running,
        operation: ServerStatus.OpenOperation? = nil,
        isHalted: Bool = false,
        age: Int? = 60,
        isDue: Bool = false,
        problem: String? = nil
    ) throws -> ServerStatus {
        ServerStatus(
            lab: try Name("shop"),
            name: try Name(server),
            ordinal: nil,
            generation: generation.map { Generation($0) },
            state: state,
            image: generation == nil
                ? nil : ServerStatus.Image(name: try Name("tiny"), version: "1", digest: try digest()),
            way: generation == nil ? nil : .agent,
            instanceID: generation == nil ? nil : "i-1",
            ports: generation == nil
                ? [:] : [try Name("http"): ServerStatus.Port(host: 20080, guest: 80, transport: .tcp)],
            networks: [:],
            volumes: generation == nil ? [:] : [try Name("data"): "/data"],
            operation: operation,
            isHalted: isHalted,
            ageSeconds: generation == nil ? nil : age,
            isDue: isDue,
            problem: problem
        )
    }

    static func report(
        _ outcome: Outcome,
        turn: TurnBack? = nil,
        reason: String? = nil,
        evidence: String? = nil,
        from: Generation? = Generation(1),
        strategy: Strategy = .stopFirst,
        discarded: [String] = [],
        server: String = "web",
        last: Step = .prepare
    ) throws -> ReplacementReport {
        ReplacementReport(
            server: try id("shop", server),
            from: from,
            to: Generation(2),
            outcome: outcome,
            steps: [CompletedStep(step: .plan, milliseconds: 40), CompletedStep(step: last, milliseconds: 1260)],
            turn: turn,
            reason: reason,
            evidence: evidence,
            strategy: strategy,
            discarded: discarded
        )
    }

    /// A directory of the test's own, removed afterwards.
    static func withDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        let path = FileManager.default.temporaryDirectory.path + "/kiln-cli-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(path)
    }
}
