import KilnEngine
import KilnModel
import LibvirtKit
import LibvirtXML

extension LibvirtMachines {
    /// Plugs a volume into the running machine, and into its definition.
    ///
    /// Not an error: either has it already.
    public func attach(_ volume: MachineSpec.Volume, to machine: MachineSpec) async throws {
        let name = machine.id.domainName
        guard let position = machine.volumes.firstIndex(of: volume) else { return }
        let xml = try DeviceDocument.disk(.volume(volume, position: position), of: machine)
        try await session.change(subject(machine.id)) { connection in
            for view in [LibvirtConnection.XMLView.inactive, .live] {
                let domain = try LiveDomain(xml: try await connection.domainXML(named: name, view: view))
                guard domain.disk(of: volume.id) == nil else { continue }
                try await LibvirtMachines.achieve {
                    try await connection.attachDevice(xml: xml, to: name, scope: view == .live ? .live : .config)
                } unless: {
                    try await LibvirtMachines.document(of: name, view, on: connection)?.disk(of: volume.id) != nil
                }
            }
        }
    }

    /// Lets the machine go on writing to an empty layer over the one it writes to now.
    ///
    /// Not an error: it does already.
    ///
    /// - Throws: `machine.no-volume`, `machine.not-moved` where the machine or its definition does not follow.
    public func moveVolume(_ volume: VolumeID, of machine: MachineID, to layer: String) async throws {
        let name = machine.domainName
        try await session.change(subject(machine)) { connection in
            let domain = try LiveDomain(xml: try await connection.domainXML(named: name))
            guard let disk = domain.disk(of: volume) else {
                throw KilnError(.machineNoVolume, "machine \(machine) has no disk for volume \(volume)")
            }
            if disk.path == layer { return }
            let others = domain.disks.map(\.target).filter { $0 != disk.target }
            let xml = try SwitchDocument.xml(moving: disk.target, to: layer, others: others)
            try await LibvirtMachines.achieve {
                try await connection.switchDisks(xml: xml, of: name)
            } unless: {
                try await LibvirtMachines.document(of: name, .live, on: connection)?.disk(of: volume)?.path == layer
            }
            for view in [LibvirtConnection.XMLView.live, .inactive] {
                let now = try LiveDomain(xml: try await connection.domainXML(named: name, view: view))
                guard now.disk(of: volume)?.path == layer else {
                    throw KilnError(
                        .machineNotMoved,
                        "\(view == .live ? "machine" : "the definition of machine") \(machine) has "
                            + "\(now.disk(of: volume)?.path ?? "no file") for volume \(volume), expected \(layer)"
                    )
                }
            }
        }
    }

    /// The file that the machine writes to for a volume; nothing where it is off or has no such volume.
    public func activeLayer(of volume: VolumeID, in machine: MachineID) async throws -> String? {
        let name = machine.domainName
        return try await session.read(subject(machine)) { connection in
            guard let domain = try await connection.domain(named: name), domain.isActive else { return nil }
            return try LiveDomain(xml: try await connection.domainXML(named: name)).disk(of: volume)?.path
        }
    }
}

extension LiveDomain {
    /// The disk that a volume is, which its serial number tells.
    fileprivate func disk(of volume: VolumeID) -> Disk? { disks.first { $0.serial == volume.description } }
}
