import Foundation
import KilnModel
import KilnStore

/// One of the two machines of a script's replacement: its files and its domain.
struct ScriptMachine: Sendable {
    let name: String
    let image: StoredImage
    let script: Script
    private let instance: String

    init(name: String, image: StoredImage, script: Script) {
        (self.name, self.image, self.script) = (name, image, script)
        instance = "script-\(name)-\(UUID().uuidString.prefix(8))"
    }

    private func path(_ file: String) -> String { "\(script.directory)/\(name)\(file)" }
    var root: String { path(".qcow2") }
    var seed: String { path(".iso") }
    var tree: String { path("") }
    var document: String { path(".xml") }

    /// Writes what the seed holds, and the domain document.
    func writeTexts() async throws {
        let seed = RawSeed(image: image, instance: instance, mac: RawMachine.mac, mounts: [script.mount])
        try await seed.write(to: tree)
        try Data(try xml.utf8).write(to: URL(fileURLWithPath: document))
    }

    /// Whether its kernel has crashed, after which nobody answers any more.
    func requireSound() throws {
        let log = FileManager.default.contents(atPath: path(".log")) ?? Data()
        if log.range(of: Data("Kernel panic".utf8)) != nil { throw KernelPanic() }
    }

    /// The end of a guest whose kernel crashed; under emulation that happens now and then.
    struct KernelPanic: Error {}

    private var xml: String {
        get throws {
            guard case .direct(let commandLine) = image.manifest.boot, let kernel = image.kernel else {
                throw Failure("\(image.manifest.name) does not boot a kernel directly; the script here can't boot it")
            }
            let isKVM = script.processor.accelerator.hasPrefix("kvm")
            let processor =
                isKVM
                ? "<cpu mode='host-passthrough' check='none'/>"
                : "<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model>"
                    + ["ssse3", "sse4.1", "sse4.2", "popcnt"].map { "<feature policy='require' name='\($0)'/>" }
                    .joined()
                    + "</cpu>"
            let words = script.processor.completed(commandLine) + " ds=nocloud;i=\(instance)"
            return """
                <domain type='\(isKVM ? "kvm" : "qemu")'>
                  <name>\(name)</name>
                  <memory unit='b'>\(image.manifest.size.memory.bytes)</memory>
                  <vcpu>\(image.manifest.size.processors)</vcpu>
                  <os>
                    <type arch='x86_64' machine='q35'>hvm</type>
                    <kernel>\(escaped(kernel))</kernel>
                    \(image.initrd.map { "<initrd>\(escaped($0))</initrd>" } ?? "")
                    <cmdline>\(escaped(words))</cmdline>
                  </os>
                  <features><acpi/><apic/></features>
                  \(processor)
                  <devices>
                    \(disk(root, "vda", serial: "kiln-root", over: image.disk))
                    \(disk(script.volume, "vdb", serial: script.volumeSerial))
                    <disk type='file' device='disk'>
                      <driver name='qemu' type='raw'/><source file='\(escaped(seed))'/><target dev='vdc' bus='virtio'/><readonly/>
                    </disk>
                    <interface type='user'><mac address='\(RawMachine.mac)'/><model type='virtio'/></interface>
                    <serial type='file'><source path='\(escaped(path(".log")))'/></serial>
                    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
                    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
                    <memballoon model='none'/>
                  </devices>
                </domain>

                """
        }
    }

    private func disk(_ file: String, _ target: String, serial: String? = nil, over base: String? = nil) -> String {
        let below = base.map { "<format type='qcow2'/><source file='\(escaped($0))'/><backingStore/>" }
        return """
            <disk type='file' device='disk'>
              <driver name='qemu' type='qcow2' cache='writeback' discard='unmap'/><source file='\(escaped(file))'/>
              \(below.map { "<backingStore type='file'>\($0)</backingStore>" } ?? "<backingStore/>")
              <target dev='\(target)' bus='virtio'/>\(serial.map { "<serial>\($0)</serial>" } ?? "")
            </disk>
            """
    }

    private func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("'", with: "&apos;")
    }
}
