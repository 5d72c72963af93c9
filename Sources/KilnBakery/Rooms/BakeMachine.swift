import KilnEngine
import KilnModel
import KilnSystem

/// The machine that a bake works in, as steps reach it.
struct BakeMachine: Sendable {
    let engine: LabEngine
    let id: MemberID
    /// Whether it has a network that reaches anything; a step that may not use it is run with the cable unplugged.
    let isOpen: Bool

    /// What says that a guest does not answer just now.
    static let silence: Set<ErrorCode> = [.guestAgentSilent, .guestNoAgent]

    /// Asks the guest for what a script does.
    ///
    /// - Throws: `KilnError` with code `bake.step-failed` where the script ends with another status than 0; as `LabEngine.run`.
    @discardableResult
    func ask(_ script: String, _ arguments: [String], within limit: Duration = .seconds(120)) async throws
        -> GuestCommandResult
    {
        let line = ["/bin/sh", "-c", script, "kiln-room"] + arguments
        let result = try await engine.run(GuestCommand(line, deadline: limit), on: id)
        guard result.status != 0 else { return result }
        throw KilnError(
            .bakeStepFailed,
            "the machine of the bake could not do what a step needs, exit status \(result.status): "
                + arguments.dropFirst(2).prefix(2).joined(separator: " "),
            cause: Printable.text(result.errors.suffix(2_000)),
            exit: .aborted
        )
    }

    func write(_ content: [UInt8], to path: String) async throws { try await engine.write(content, to: path, on: id) }

    func read(_ path: String, limit: Int) async throws -> [UInt8]? {
        try await engine.read(path, on: id, limit: limit)
    }

    /// What is on its root, once everything that was written is there.
    func listing() async throws -> RootListing {
        _ = try await engine.run(GuestCommand(["sync"], deadline: .seconds(120)), on: id)
        return try await engine.listing(ofRootOf: id)
    }

    /// Lets the guest have its network, or not.
    ///
    /// - Parameter ask: asks the room's script.
    /// - Throws: `KilnError` with code `bake.network-needed` where the guest is not reached without it.
    func setNetwork(_ isUp: Bool, for step: String, _ ask: ([String]) async throws -> Void) async throws {
        guard isOpen else { return }
        try await engine.setLink(of: id, isUp: isUp)
        // Without an address a program may still find what it needs; where it does not, it says so itself.
        guard !isUp else {
            _ = try? await ask(["online"])
            return
        }
        do {
            try await ask(["alive"])
        } catch let error as KilnError where error.exit != .unreachable {
            try await engine.setLink(of: id, isUp: true)
            throw KilnError(
                .bakeNetworkNeeded,
                "\(step) may not use the network, and the machine of the bake is reached by nothing else: \(error.message)",
                hint: "say 'network: true' of that step, or bake what needs the network in a recipe of its own",
                cause: error.cause,
                exit: .aborted
            )
        }
    }
}
