import KilnDocuments
import KilnEngine
import KilnModel

/// `slow-disk`: QEMU lets a disk pass few operations per second.
struct SlowDisk: FaultAction {
    static let kind = FaultKind(
        word: "slow-disk",
        about: "Lets a disk pass few operations per second.",
        fields: { Schema.object(SlowDiskFields.self, $0) },
        decode: { SlowDisk($0, $1) }
    )

    private let target: DiskTarget
    private let operations: Int

    init?(_ value: Value, _ reader: FaultReader) {
        guard let fields = Fields<SlowDiskFields>(value, "a map with 'server' and 'operations'") else { return nil }
        let target = DiskTarget(
            server: fields[.server],
            role: fields[.machine],
            volume: fields[.volume],
            reader
        )
        let operations = fields[.operations]?.whole(in: 1...100_000)
        guard let target, let operations else { return nil }
        self.target = target
        self.operations = operations
    }

    var summary: String { "slow-disk: \(target.words), \(operations) operations per second" }
    var servers: [Name] { [target.machine.server] }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        let (machine, limit) = (try ground.machine(target.machine), operations)
        let (path, machines) = (try target.path(of: machine, ground), ground.parts.machines)
        try ground.requireAwake(machine)
        guard let device = try await BlockDevice.find(path, in: machine, machines) else {
            throw FaultGround.impossible("\(machine) does not have \(target.words)")
        }
        let before = try await device.operations(in: machine, machines)
        try await device.allow(limit, in: machine, machines)
        return StruckFault(
            proof: {
                guard try await machines.state(of: machine).isAlive,
                    try await BlockDevice.find(path, in: machine, machines)?.limit == limit
                else { return nil }
                let count = try await device.operations(in: machine, machines) - before
                return count > 0 ? "\(count) operations passed, at most \(limit) per second" : nil
            },
            undo: {
                guard try await machines.state(of: machine).isAlive else { return }
                try ground.requireAwake(machine)
                try await device.allow(device.limit, in: machine, machines)
            }
        )
    }
}

/// A disk of a machine as QEMU's devices have it.
private struct BlockDevice: Sendable {
    /// The path of the device in QEMU's tree of objects.
    let device: String
    /// How many operations it passes per second; 0 for all.
    let limit: Int

    /// The device that has a file as its disk.
    static func find(_ path: String, in machine: MachineID, _ machines: any MachineMonitor) async throws -> BlockDevice?
    {
        let disks = try await machines.monitor("query-block", [:], of: machine).array ?? []
        for disk in disks {
            guard let inserted = disk["inserted"], BlockNode.filePath(inserted["file"]?.string) == path,
                let device = disk["qdev"]?.string
            else { continue }
            return BlockDevice(device: device, limit: inserted["iops"]?.whole ?? 0)
        }
        return nil
    }

    /// Limits it; 0 lets all pass.
    ///
    /// https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html#qapidoc-block_set_io_throttle
    func allow(_ operations: Int, in machine: MachineID, _ machines: any MachineMonitor) async throws {
        let none = ["bps", "bps_rd", "bps_wr", "iops_rd", "iops_wr"].map { ($0, JSONValue.int(0)) }
        var arguments = Dictionary(uniqueKeysWithValues: none)
        arguments["id"] = .string(device)
        arguments["iops"] = .int(Int64(operations))
        _ = try await machines.monitor("block_set_io_throttle", arguments, of: machine)
    }

    /// How many it has passed.
    func operations(in machine: MachineID, _ machines: any MachineMonitor) async throws -> Int {
        let disks = try await machines.monitor("query-blockstats", [:], of: machine).array ?? []
        let own = disks.first { $0["qdev"]?.string == device }?["stats"]
        return ["rd_operations", "wr_operations"].reduce(0) { $0 + (own?[$1]?.whole ?? 0) }
    }
}

extension JSONValue {
    /// The number where this is a whole one.
    fileprivate var whole: Int? {
        guard case .int(let number) = self else { return nil }
        return Int(number)
    }
}

/// The fields of `slow-disk`.
enum SlowDiskFields: String, FileField {
    case server, machine, volume, operations

    static let required: [SlowDiskFields] = [.server, .operations]

    var schema: JSONValue {
        switch self {
        case .server: Schema.name("The server.")
        case .machine: MachineTarget.schema
        case .volume: Schema.name("The volume; the root without it.")
        case .operations: Schema.whole(1...100_000, "How many reads and writes it passes per second.")
        }
    }
}
