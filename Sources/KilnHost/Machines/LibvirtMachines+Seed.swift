import KilnEngine
import KilnModel
import KilnSystem
import LibvirtKit
import LibvirtXML

extension LibvirtMachines {
    /// How long a guest may take to give up its seed disk.
    private static let unplugging = Duration.seconds(20)

    /// Takes the seed disk out of the running machine and out of its definition.
    ///
    /// Not an error: either, or the machine, has no seed any more.
    ///
    /// - Throws: `machine.seed-kept` where the guest does not give it up.
    public func detachSeed(_ machine: MachineID, path: String) async throws {
        let name = machine.domainName
        try await session.change(subject(machine)) { connection in
            guard let domain = try await connection.domain(named: name) else { return }
            if let seed = try await LibvirtMachines.seed(path, of: name, .inactive, on: connection) {
                try await LibvirtMachines.achieve {
                    try await connection.detachDevice(alias: seed, from: name, scope: .config)
                } unless: {
                    try await LibvirtMachines.seed(path, of: name, .inactive, on: connection) == nil
                }
            }
            guard domain.isActive else { return }
            try await LibvirtMachines.unplug(path, from: machine, on: connection)
        }
    }

    private static func unplug(_ path: String, from machine: MachineID, on connection: LibvirtConnection) async throws {
        let name = machine.domainName
        let end = ContinuousClock.now + unplugging
        var refusal: LibvirtError?
        while true {
            // Subscribe first, then look: so no removal is missed.
            let news = try await connection.events()
            guard let seed = try await seed(path, of: name, .live, on: connection) else { return }
            guard ContinuousClock.now < end else { throw kept(machine, refusal) }
            do {
                try await connection.detachDevice(alias: seed, from: name, scope: .live)
            } catch {
                // Gone since it was looked at, being unplugged already, or refused: the next look tells.
                refusal = error
            }
            // Ask again from time to time: a guest that is still booting ignores the request.
            let next = min(end, ContinuousClock.now + (refusal == nil ? .seconds(5) : .seconds(1)))
            await news.first(of: name, until: next) { kind in
                switch kind {
                case .deviceRemoved(let alias), .deviceRemovalFailed(let alias): alias == seed
                case .stopped: true
                default: false
                }
            }
        }
    }

    private static func kept(_ machine: MachineID, _ refusal: LibvirtError?) -> KilnError {
        KilnError(
            .machineSeedKept,
            "the guest of machine \(machine) did not give up its seed disk within \(unplugging)",
            hint: "see whether the guest still runs and has its seed mounted",
            cause: refusal.map { Printable.text($0.message.utf8) },
            exit: .deadline
        )
    }

    /// The alias of the seed disk; nothing where the domain has none, or is gone.
    private static func seed(
        _ path: String,
        of name: String,
        _ view: LibvirtConnection.XMLView,
        on connection: LibvirtConnection
    ) async throws -> String? {
        try await document(of: name, view, on: connection)?.disks.first { $0.path == path }?.alias
    }
}
