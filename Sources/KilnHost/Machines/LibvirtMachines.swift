import Foundation
import Glibc
import KilnEngine
import KilnModel
import LibvirtKit
import LibvirtXML

/// Machines as libvirt domains.
public struct LibvirtMachines: MachineControl {
    /// What machines are like.
    public let platform: Platform
    /// The user that machines run as where their definition has to say so.
    public let user: MachineSpec.User?

    let session: HypervisorSession
    /// The folder in which libvirt keeps what machines' processes say; nothing where no process runs.
    let logs: String?
    let owner: MachineOwner?
    let document: @Sendable (MachineSpec) throws -> String

    /// Machines that are reached through a session.
    ///
    /// - Parameters:
    ///   - session: the connection.
    ///   - platform: what machines are like.
    ///   - user: the user that machines run as where their definition has to say so.
    ///   - owner: the user that files of machines are given to; nothing where machines run as the user who runs Kiln.
    ///   - logs: the folder in which libvirt keeps what machines' processes say; nothing where no process runs.
    ///   - document: makes the domain document of a machine.
    public init(
        session: HypervisorSession,
        platform: Platform,
        user: MachineSpec.User?,
        owner: MachineOwner?,
        logs: String? = nil,
        document: @escaping @Sendable (MachineSpec) throws -> String = { try DomainDocument.xml(for: $0) }
    ) {
        self.session = session
        self.platform = platform
        self.user = user
        self.owner = owner
        self.logs = logs
        self.document = document
    }

    /// Defines the machine, and makes its console log, which libvirt could not create in Kiln's directories.
    ///
    /// An earlier definition is forgotten first. libvirt 9 keeps with it that the guest's agent failed; where it hears of
    /// that only after it has cleared up behind a QEMU that died, no agent would be reached in any boot to come.
    ///
    /// - Throws: `machine.not-off` where it is still on.
    public func define(_ machine: MachineSpec) async throws {
        try makeConsoleLog(machine.consoleLog)
        let xml = try document(machine)
        try await requireProcessor(of: machine)
        try await session.change(subject(machine.id)) { connection in
            try await forget(machine.id, firmwareVariables: .keepNVRAM, on: connection)
            try await LibvirtMachines.achieve {
                _ = try await connection.defineDomain(xml: xml)
            } unless: {
                // Whatever it was before is forgotten, so what is there now is this.
                try await connection.domain(named: machine.id.domainName) != nil
            }
        }
    }

    /// Forgets a machine; one that is absent is forgotten already.
    ///
    /// - Throws: `machine.not-off` where it is still on.
    public func undefine(_ machine: MachineID) async throws {
        try await session.change(subject(machine)) { connection in
            let sockets = try await LibvirtMachines.sockets(of: machine, on: connection)
            try await forget(machine, firmwareVariables: .nvram, on: connection)
            // Nobody removes them when a machine ends.
            for socket in sockets { unlink(socket) }
        }
    }

    // What libvirt has of a machine that is off; one that isn't there is no error.
    private func forget(
        _ machine: MachineID,
        firmwareVariables: LibvirtConnection.UndefineOptions,
        on connection: LibvirtConnection
    ) async throws {
        let name = machine.domainName
        guard let domain = try await connection.domain(named: name) else { return }
        guard !domain.isActive else {
            throw KilnError(
                .machineNotOff,
                "machine \(machine) is still on, expected off",
                hint: "switch it off with 'kiln stop \(machine.member)', then repeat the command",
                exit: .blocked
            )
        }
        guard let document = try await LibvirtMachines.document(of: name, .inactive, on: connection) else { return }
        var options: LibvirtConnection.UndefineOptions = [.managedSave, .snapshotsMetadata]
        // UEFI's variables are of one machine, as its overlay is; the flag is refused where there are none.
        if document.hasFirmwareVariables { options.insert(firmwareVariables) }
        try await LibvirtMachines.achieve {
            try await connection.undefineDomain(named: name, options: options)
        } unless: {
            try await connection.domain(named: name) == nil
        }
    }

    /// What libvirt says of the machine now.
    public func state(of machine: MachineID) async throws -> MachineState {
        try await session.read(subject(machine)) { connection in
            MachineState(try await connection.domain(named: machine.domainName))
        }
    }

    /// All machines that libvirt knows, by the names of their domains: a look at each one's metadata would take most of the
    /// time of a list of many.
    public func machines() async throws -> [MachineID: MachineState] {
        try await session.read("all machines") { connection in
            try await connection.domainStates().reduce(into: [:]) { found, domain in
                guard let machine = MachineID(domainName: domain.key) else { return }
                found[machine] = MachineState(domain.value)
            }
        }
    }

    /// The domain document as libvirt completed it; nothing if the machine is absent.
    public func definition(of machine: MachineID) async throws -> String? {
        try await session.read(subject(machine)) { connection in
            try await LibvirtMachines.definition(machine.domainName, on: connection)
        }
    }

    /// The files of the disks that the machine is defined with.
    public func disks(of machine: MachineID) async throws -> [String] {
        try await session.read(subject(machine)) { connection in
            try await LibvirtMachines.document(of: machine.domainName, .live, on: connection)?.disks.compactMap(\.path)
                ?? []
        }
    }

    func subject(_ machine: MachineID) -> String { "machine \(machine)" }

    /// What libvirt says of a domain in one of its views; nothing where there is none.
    static func document(
        of name: String,
        _ view: LibvirtConnection.XMLView,
        on connection: LibvirtConnection
    ) async throws -> LiveDomain? {
        try await definition(name, view, on: connection).map { try LiveDomain(xml: $0) }
    }

    private static func definition(
        _ name: String,
        _ view: LibvirtConnection.XMLView = .live,
        on connection: LibvirtConnection
    ) async throws -> String? {
        do {
            return try await connection.domainXML(named: name, view: view)
        } catch {
            guard try await connection.domain(named: name) != nil else { return nil }
            throw error
        }
    }

    /// The unix sockets that the machine's definition names.
    private static func sockets(of machine: MachineID, on connection: LibvirtConnection) async throws -> [String] {
        guard let domain = try? await document(of: machine.domainName, .live, on: connection), domain.machine == machine
        else { return [] }
        return domain.channels.compactMap(\.socket) + [domain.consoleSocket].compactMap { $0 }
    }

    func makeConsoleLog(_ path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard file >= 0 else {
            throw KilnError(.machineNoConsoleLog, "\(path) can't be made", cause: String(cString: strerror(errno)))
        }
        close(file)
        try owner?.give(path)
    }
}

extension MachineState {
    /// libvirt's word in ours.
    init(_ domain: DomainSnapshot?) {
        self = domain.map { MachineState($0.state) } ?? .absent
    }

    init(_ state: DomainState) {
        switch state {
        // One that this version does not know may have a process.
        case .running, .blocked, .shuttingDown, .other: self = .running
        case .paused, .pmsuspended: self = .paused
        case .crashed: self = .crashed
        case .shutoff: self = .off
        }
    }
}
