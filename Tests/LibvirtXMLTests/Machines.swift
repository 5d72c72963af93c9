import Foundation
import KilnModel

/// Machines to write documents for.
enum Machines {
    static let kernel = MachineSpec.Boot.direct(
        kernel: "/images/kernel",
        initrd: "/images/initrd",
        commandLine: "root=/dev/vda console=ttyS0 ds=nocloud;i=web-1"
    )

    static func disk(_ name: String, layers: Int) -> MachineSpec.Disk {
        .init(path: "/volumes/\(name)", backing: (1..<max(layers, 1)).map { "/volumes/\(name)-\($0)" })
    }

    static func volumes(_ count: Int) throws -> [MachineSpec.Volume] {
        try (0..<count).map { index in
            guard let id = VolumeID("v000000000000000\(index)") else { throw CocoaError(.coderInvalidValue) }
            return MachineSpec.Volume(id: id, disk: disk("volume-\(index)", layers: index + 1))
        }
    }

    /// Cards on networks of the lab, whose sockets have a comma in their paths.
    static func cards(_ count: Int) throws -> [MachineSpec.Card] {
        try (0..<count).map { index in
            MachineSpec.Card(
                network: NetworkID(lab: try Name("lab"), network: try Name("net-\(index)")),
                mac: MACAddress(of: NetworkAddress(64, UInt8(index), host: 10)),
                socket: "/machines,x/\(index).card",
                port: "/machines,x/\(index).port"
            )
        }
    }

    static func machine(
        acceleration: MachineSpec.Acceleration = .tcg,
        cpu: ProcessorModel? = nil,
        boot: MachineSpec.Boot = kernel,
        root: MachineSpec.Disk = disk("root", layers: 2),
        seed: String? = "/machines/seed",
        volumes: Int = 1,
        network: ServerSpec.Network = .open,
        cards: [MachineSpec.Card] = [],
        consoleSocket: String = "/machines/console.sock",
        consoleLog: String = "/machines/console.log",
        agentSocket: String = "/machines/agent.sock",
        ledgerSocket: String = "/machines/ledger.sock",
        user: MachineSpec.User? = nil
    ) throws -> MachineSpec {
        MachineSpec(
            id: MemberID(lab: try Name("lab"), server: try Name("web")).machine(Generation(3)),
            uuid: UUID(),
            platform: Platform(acceleration: acceleration),
            size: MachineSize(memory: .mebibytes(256), processors: 2, cpu: cpu),
            boot: boot,
            root: root,
            seed: seed,
            volumes: try Machines.volumes(volumes),
            network: network,
            cards: cards,
            consoleSocket: consoleSocket,
            consoleLog: consoleLog,
            agentSocket: agentSocket,
            ledgerSocket: ledgerSocket,
            user: user
        )
    }

    /// One machine of every combination that changes the document.
    static func everyCombination() throws -> [MachineSpec] {
        let boots: [MachineSpec.Boot] = [
            kernel, .direct(kernel: "/images/kernel", initrd: nil, commandLine: ""),
            .firmware(.bios, serial: "ds=nocloud;i=web-1"), .firmware(.uefi, serial: "ds=nocloud;i=web-1"),
        ]
        var machines: [MachineSpec] = []
        for boot in boots {
            for acceleration in [MachineSpec.Acceleration.kvm, .tcg] {
                for network in ServerSpec.Network.allCases {
                    for seed in [nil, "/machines/seed"] {
                        for user in [nil, MachineSpec.User(uid: 999, gid: 995)] {
                            machines += try (0...3).map { count in
                                try machine(
                                    acceleration: acceleration,
                                    boot: boot,
                                    root: disk("root", layers: count + 1),
                                    seed: seed,
                                    volumes: count,
                                    network: network,
                                    user: user
                                )
                            }
                        }
                    }
                }
            }
        }
        return machines
    }
}
