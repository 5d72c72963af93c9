import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// Writes down what a new generation is made from, and its seed.
struct GenerationWriter: Sendable {
    let workspace: ServerWorkspace
    let spec: ServerSpec
    let image: StoredImage
    /// Whether the guest boots before it gets its volumes.
    var isWarm = false
    /// How its machine is to come to run.
    var launch = ServerSpec.Launch.boot

    /// Writes record and seed, both private since user-data may hold secrets; the record is written last, so that it stands only beside a whole seed.
    func write(_ machine: MachineID) async throws {
        try checkRoot()
        try checkUserData()
        try workspace.requireNetworkReader(spec, image.manifest)
        let state = workspace.state
        try DurableFile.makeDirectory(state.generation(machine))
        let manifest = image.manifest
        let hostKey = manifest.ssh ? try await workspace.parts.seeds.makeHostKey(comment: machine.description) : nil
        let ports = try workspace.portBook().ports
        let externals = try ExternalAccess.all(of: machine.member.lab, in: state)
        var network = try GuestNetwork(of: workspace, spec.networks)
        if spec.network == .open { network.externals = externals.keys.sorted() }
        let record = try record(
            machine,
            hostKey: hostKey?.publicKey,
            ports: ports[machine.member.server],
            peers: network.peers.values.sorted()
        )
        if manifest.cloudInit != .none {
            let documents = SeedDocuments(
                record: record,
                mounts: try workspace.mounts(of: spec),
                isWarm: isWarm,
                hostKey: hostKey,
                userKey: manifest.ssh ? try await workspace.parts.seeds.userPublicKey() : nil,
                ports: ports,
                network: network,
                externals: externals
            )
            try await workspace.parts.seeds.writeSeed(try documents.files(), to: state.seed(machine))
        }
        try DurableFile.writeJSON(record, to: state.generation(machine) + "/generation.json", mode: 0o600)
    }

    private var title: String { "\(image.manifest.name):\(image.manifest.version)" }

    private func checkUserData() throws {
        guard let form = spec.userDataDocument?.form,
            let refusal = UserDataReview(image.manifest, named: title).refusal(of: form)
        else { return }
        throw KilnError(
            .userDataFormUnread,
            "\(workspace.id) can't be made: \(refusal)",
            hint: "write its user-data as a map, or choose an image with a full cloud-init",
            exit: .aborted
        )
    }

    private func checkRoot() throws {
        try spec.requireRoom(for: image.manifest)
        try refuseForgettingMounts()
        try refuseAmbiguousRoot()
        guard spec.root == .volatile, image.manifest.volatileRoot != true else { return }
        throw KilnError(
            .imageNoVolatileRoot,
            "\(workspace.id) asks for a volatile root, which the image \(title) can't have",
            hint: "choose an image whose recipe says 'volatile-root: true', or leave 'root' out",
            exit: .aborted
        )
    }

    // Images that were baked with Kiln's initrd before this said LABEL=root, which a volume's file system may have as well.
    // It is the initrd of every image that can keep its root in memory, and finds a disk by its serial number, too.
    private var boot: ImageManifest.Boot {
        guard case .direct(let commandLine) = image.manifest.boot, image.manifest.volatileRoot == true else {
            return image.manifest.boot
        }
        let words = commandLine.split(separator: " ").map { word in
            word.hasPrefix("root=LABEL=") ? "root=/dev/disk/by-id/virtio-\(MachineSpec.rootSerial)" : word
        }
        return .direct(commandLine: words.joined(separator: " "))
    }

    // Volumes used to be labelled with their names, imported ones have the UUID that they came with, and a kernel that finds
    // two such file systems takes any.
    private func refuseAmbiguousRoot() throws {
        guard case .direct(let commandLine) = boot,
            let word = commandLine.split(separator: " ").last(where: { $0.hasPrefix("root=") }),
            let volume = try spec.volumes.keys.sorted().first(where: { try mayBeRoot($0, word) })
        else { return }
        let what = word.hasPrefix("root=LABEL=") ? "a label" : "a UUID"
        throw KilnError(
            .imageBootsByLabel,
            "the image \(title) boots by '\(word)', \(what) that the volume "
                + "\(workspace.id.lab)/\(volume) may have as well",
            hint: "bake the image with 'root=/dev/disk/by-id/virtio-\(MachineSpec.rootSerial)' on its command line, or "
                + "call the volume otherwise",
            exit: .aborted
        )
    }

    private func mayBeRoot(_ volume: Name, _ word: Substring) throws -> Bool {
        if word == "root=LABEL=\(volume.text.prefix(16))" { return true }
        guard word.hasPrefix("root=UUID="), let root = UUID(uuidString: String(word.dropFirst("root=UUID=".count)))
        else { return false }
        return try workspace.volumes.record(lab: workspace.id.lab, volume)?.fileSystemID == root
    }

    // What is mounted when its volumes come is noted on its root, which such a guest forgets when it reboots.
    private func refuseForgettingMounts() throws {
        guard isWarm, spec.root == .volatile, image.manifest.cloudInit == .full, !spec.volumes.isEmpty else { return }
        throw KilnError(
            .rootForgetsMounts,
            "\(workspace.id) has a volatile root, so a machine that gets its volumes after its boot loses them at the next",
            hint: "replace it with strategy stop-first, or declare 'root: persistent'",
            exit: .aborted
        )
    }

    private func record(
        _ machine: MachineID,
        hostKey: String?,
        ports: [Name: UInt16]?,
        peers: [Name]
    ) throws -> GenerationRecord {
        let manifest = image.manifest
        let random = String(UInt32.random(in: .min ... .max), radix: 16)
        return GenerationRecord(
            machine: machine,
            spec: spec,
            image: ServerStatus.Image(name: manifest.name, version: manifest.version, digest: manifest.digest),
            boot: boot,
            cloudInit: manifest.cloudInit,
            files: GenerationRecord.Files(disk: image.disk, kernel: image.kernel, initrd: image.initrd),
            size: spec.size(over: manifest.size),
            disk: spec.disk,
            uuid: UUID(),
            instanceID: "\(try machine.member.own(machine.member.server))-\(machine.generation)-\(random)",
            hostKey: hostKey,
            created: Date(),
            ports: ports,
            undone: UserDataReview(manifest, named: title).undone(spec.userDataKeys),
            configuration: try ServerConfiguration(of: spec).digest,
            peers: peers,
            launch: launch == .boot ? nil : launch
        )
    }
}
