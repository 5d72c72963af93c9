import Foundation
import KilnModel
import KilnSystem

/// Brings labs up, replaces their servers and takes them down.
///
/// Changing methods take the server's lock, then recover what an earlier command left unfinished, then act. Reading
/// methods take no lock and recover nothing, so they work beside a running replacement.
///
/// All methods throw `KilnError` or `CancellationError`.
public struct LabEngine: Sendable {
    let state: StateDirectory
    /// What it works with; whoever makes a fault makes it there.
    package private(set) var parts: EngineParts

    /// An engine that keeps its state in the given directory.
    public init(state: StateDirectory, parts: EngineParts) {
        self.state = state
        self.parts = parts
    }

    /// The same engine, which tells the moments of its steps to `moments`.
    package func telling(_ moments: any StepMoments) -> LabEngine {
        var other = self
        other.parts.moments = moments
        return other
    }

    /// The volumes of all labs.
    public var volumes: VolumeStore { VolumeStore(state: state, disks: parts.disks, holders: parts.holders) }

    func workspace(_ id: MemberID) -> ServerWorkspace { ServerWorkspace(id: id, state: state, parts: parts) }

    /// The workspace of a server that exists.
    func existing(_ id: MemberID) throws -> ServerWorkspace {
        guard FileManager.default.fileExists(atPath: state.member(id)) else {
            throw KilnError(
                .serverMissing,
                "there is no server \(id)",
                hint: "list the servers with 'kiln ps'",
                exit: .usage
            )
        }
        return workspace(id)
    }

    /// The lab as it was last brought up.
    ///
    /// - Throws: `lab.missing` where it is not up.
    public func lab(_ name: Name) throws -> LabSpec {
        guard let lab = try DurableFile.readJSON(LabSpec.self, from: state.lab(name) + "/lab.json") else {
            throw KilnError(
                .labMissing,
                "there is no lab \(name)",
                hint: "list the labs with 'kiln ps'",
                exit: .usage
            )
        }
        return lab
    }

    /// The servers with a machine from this image, or with one that they may have to go back to.
    ///
    /// - Throws: `image.users-unknown` where that can't be told of a server.
    public func servers(needing digest: ImageDigest) throws -> [MemberID] {
        let lent = volumes.lentGenerations()
        return try members().filter { id in
            do {
                let history = try workspace(id).history(lent: lent)
                // Its machine may be in the making.
                if history.open?.replacement.intent.digest == digest { return true }
                let last = (history.open ?? history.halted)?.replacement
                // One that has only begun may not have come to be anything.
                let made = last.map { $0.completed.contains { $0.step == .prepare } ? [$0.intent.to] : [] } ?? []
                let needed = Set([history.current, last?.intent.from].compactMap { $0 } + made)
                return try needed.contains { try workspace(id).record(id.machine($0)).image.digest == digest }
            } catch {
                throw KilnError(
                    .imageUsersUnknown,
                    "the image may be one of \(id), of which nothing is known: \(KilnError.wrapping(error).message)",
                    hint: "put that in order first, or take its lab down: 'kiln down \(id.lab)'",
                    exit: .blocked
                )
            }
        }
    }

    /// Everything that ever happened to a server.
    public func history(_ id: MemberID) throws -> ServerHistory { try existing(id).journal.history() }

    /// The machine that commands reach: the serving one, or the new one while a replacement is past its handover.
    public func machine(_ id: MemberID) throws -> MachineID { try machine(id, in: history(id)) }

    func machine(_ id: MemberID, in history: ServerHistory) throws -> MachineID {
        if let open = history.open?.replacement, open.isHandedOver, open.direction == .forward {
            return id.machine(open.intent.to)
        }
        guard let current = history.current ?? history.open?.replacement.intent.to else {
            throw KilnError(
                .serverNotLaunched,
                "\(id) has no machine",
                hint: "bring it up with 'kiln up'",
                exit: .blocked
            )
        }
        return id.machine(current)
    }

    /// What the machine that commands reach was made from.
    public func record(_ id: MemberID) throws -> GenerationRecord { try existing(id).record(try machine(id)) }

    /// The path of the console log of the machine that commands reach.
    public func consoleLog(_ id: MemberID) throws -> String { state.consoleLog(try machine(id)) }

    /// The path of the console socket of the machine that commands reach.
    public func consoleSocket(_ id: MemberID) throws -> String { state.consoleSocket(try machine(id)) }

    /// The path of the ledger socket of a machine.
    public func ledgerSocket(_ machine: MachineID) -> String { state.ledgerSocket(machine) }

    /// The root overlay of a machine, which its process has open for as long as there is one.
    package func rootOverlay(_ machine: MachineID) -> String { state.rootOverlay(machine) }

    /// The seed of a machine, which it reads at its first boot.
    package func seed(_ machine: MachineID) -> String { state.seed(machine) }

    /// The active layer of a volume; nothing where there is no such volume.
    package func activeLayer(of volume: Name, in lab: Name) throws -> String? {
        try volumes.record(lab: lab, volume)?.layers.last.map { "\(state.volume(lab: lab, volume))/\($0)" }
    }

    /// The directory of failed runs.
    public var evidence: String { state.evidence }

    /// The directory in which runs are written down.
    public var reports: String { state.reports }

    /// The networks that a lab has had since it is up.
    func networks(of lab: Name) throws -> [NetworkID] {
        try NetworkBook.read(lab, in: state).networks.keys.sorted().map { NetworkID(lab: lab, network: $0) }
    }

    func networks() throws -> [NetworkID] { try names(in: state.labs).flatMap { try networks(of: $0) } }

    func names(in directory: String) -> [Name] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return entries.compactMap { try? Name($0) }.sorted()
    }
}
