import Foundation
import KilnModel

extension ServerWorkspace {
    /// The machine as the hypervisor is told to make it.
    func definition(_ record: GenerationRecord, withVolumes: Bool) throws -> MachineSpec {
        let machine = record.machine
        let seed = state.seed(machine)
        return MachineSpec(
            id: machine,
            uuid: record.uuid,
            platform: parts.machines.platform,
            size: record.size,
            boot: boot(record),
            root: MachineSpec.Disk(path: state.rootOverlay(machine), backing: [record.files.disk]),
            seed: FileManager.default.fileExists(atPath: seed) ? seed : nil,
            volumes: withVolumes ? try volumeNames(of: machine).map { try volumes.disk(lab: id.lab, $0) } : [],
            laterVolumes: withVolumes ? 0 : record.spec.volumes.count,
            network: record.spec.network,
            cards: try cards(of: record),
            consoleSocket: state.consoleSocket(machine),
            consoleLog: state.consoleLog(machine),
            agentSocket: state.agentSocket(machine),
            ledgerSocket: state.ledgerSocket(machine),
            user: parts.machines.user
        )
    }

    /// The machine of which those like this one are cloned, in a folder of its own.
    ///
    /// It has what the hypervisor says of no clone in particular: mount points are what its guest guards before it is held.
    func template(_ record: GenerationRecord, as machine: MachineID, in folder: String) throws -> MachineSpec {
        var spec = try definition(record, withVolumes: false)
        spec = MachineSpec(
            id: machine,
            uuid: UUID(),
            platform: spec.platform,
            size: spec.size,
            boot: boot(record, GenerationRecord.hold),
            root: MachineSpec.Disk(path: folder + "/root.qcow2", backing: [record.files.disk]),
            seed: nil,
            volumes: [],
            laterVolumes: spec.laterVolumes,
            network: spec.network,
            cards: spec.cards,
            consoleSocket: state.consoleSocket(machine),
            consoleLog: folder + "/console.log",
            agentSocket: state.agentSocket(machine),
            ledgerSocket: state.ledgerSocket(machine),
            user: spec.user
        )
        spec.cloning = .template(memory: folder + "/memory")
        return spec
    }

    // 'ds=nocloud;i=…' lets a boot without the seed end in cloud-init's 'done', as the same instance.
    private func boot(_ record: GenerationRecord, _ ending: String? = nil) -> MachineSpec.Boot {
        let source = ending ?? "ds=nocloud;i=\(record.instanceID)"
        switch record.boot {
        case .direct(let commandLine):
            let volatile = record.spec.root == .volatile ? GenerationRecord.volatileRoot : nil
            let platform = parts.machines.platform.kernelWords.joined(separator: " ")
            let words = [
                commandLine, volatile, platform, mountPoints(record), record.cloudInit == .none ? nil : source,
            ]
            return .direct(
                kernel: record.files.kernel ?? "",
                initrd: record.files.initrd,
                commandLine: words.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
            )
        case .firmware(let firmware): return .firmware(firmware, serial: source)
        }
    }

    // Kiln's own images make these directories, and make them unwritable, before anything else runs; others don't heed it,
    // and what reads their seed does the same later (``MountGuard``). A path that a lab file can't have would not be one
    // word, and a kernel cuts its command line off after 2,048 bytes, what comes last first: then there are none.
    private func mountPoints(_ record: GenerationRecord) -> String? {
        let paths = record.spec.mounts.map(\.path)
        let word = "kiln.mounts=" + paths.joined(separator: ",")
        let isWord = paths.allSatisfy { $0.utf8.allSatisfy(GuestMount.isPlain) }
        return !paths.isEmpty && record.cloudInit != .none && isWord && word.utf8.count <= 1024 ? word : nil
    }
}
