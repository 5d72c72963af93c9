import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem
import LibvirtKit
import LibvirtXML

extension LibvirtMachines {
    /// How long QEMU may take to write or to read what devices hold, which is less than a MiB.
    private static let saving = Duration.seconds(30)
    /// The first QEMU that can take memory from a file that it can't write to.
    private static let firstWithSealedMemory = LibvirtVersion(number: 8_002_000)

    /// QEMU's version and the very program, libvirt's version, and how guests are executed.
    public func templateGround() async throws -> String {
        let platform = platform
        let (version, xml) = try await session.read("the hypervisor") { connection in
            let xml = try await connection.domainCapabilities(
                architecture: platform.arch,
                machine: platform.machine,
                virtualization: platform.isEmulated ? "qemu" : "kvm"
            )
            return (try await connection.hypervisorVersion(), xml)
        }
        guard let emulator = try DomainCapabilities(xml: xml).emulator else {
            throw KilnError(
                .templateImpossible,
                "the hypervisor names no program that would run a template",
                exit: .aborted
            )
        }
        var found = stat()
        guard stat(emulator, &found) == 0 else {
            throw KilnError(.templateImpossible, "\(emulator) is not on this host", exit: .aborted)
        }
        // A package brings its files' times along, so that another build of the same version shows.
        let build = "\(found.st_size) bytes of \(found.st_mtim.tv_sec).\(found.st_mtim.tv_nsec)"
        return "QEMU \(version), \(emulator), \(build); libvirt \(LibvirtConnection.libraryVersion)"
    }

    /// Starts a machine whose memory is a file.
    public func startTemplate(_ machine: MachineSpec) async throws {
        guard let memory = machine.cloning?.memory else { return }
        try makeConsoleLog(machine.consoleLog)
        try makeMemory(memory, machine.size.memory)
        let xml = try document(machine)
        try await requireProcessor(of: machine)
        try await session.change(subject(machine.id)) { connection in
            try await connection.createDomain(xml: xml)
        }
    }

    private func makeMemory(_ path: String, _ size: ByteCount) throws {
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw DurableFile.failure("open", path) }
        defer { close(file) }
        guard let length = Int(exactly: size.bytes), ftruncate(file, length) == 0 else {
            throw DurableFile.failure("ftruncate", path)
        }
        try owner?.give(path)
    }

    /// Stops a template, and lets QEMU write down what its devices hold; the pages of its memory are in their file already.
    public func saveTemplate(_ machine: MachineSpec, devices: String) async throws {
        let file = open(devices, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw DurableFile.failure("open", devices) }
        defer { close(file) }
        _ = try await monitor("stop", [:], of: machine.id)
        try await leaveMemoryOut(of: machine.id)
        try await pass(file, to: machine.id)
        _ = try await monitor("migrate", ["uri": .string("fd:\(LibvirtMachines.stream)")], of: machine.id)
        try await waitFor("saved", machine.id) {
            let answer = try await monitor("query-migrate", [:], of: machine.id)
            let status = answer["status"]?.string
            guard status != "failed", status != "cancelled" else {
                throw LibvirtMachines.failed("QEMU did not save \(machine.id)", answer["error-desc"]?.string)
            }
            return status == "completed"
        }
        try await powerOff(machine.id)
        guard let memory = machine.cloning?.memory else { return }
        guard fsync(file) == 0, fchmod(file, 0o400) == 0 else { throw DurableFile.failure("fsync", devices) }
        // Where QEMU opens it for writing, it has to be able to. It never writes to it, and what would is found out.
        guard chmod(memory, try await isMemorySealed() ? 0o400 : 0o600) == 0 else {
            throw DurableFile.failure("chmod", memory)
        }
    }

    /// Makes a machine that goes on where a template stood.
    public func clone(_ machine: MachineSpec, memory: String, devices: String) async throws {
        let file = open(devices, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { throw DurableFile.failure("open", devices) }
        defer { close(file) }
        var held = machine
        held.cloning = .clone(memory: memory, isSealed: try await isMemorySealed())
        try await define(held)
        let name = machine.id.domainName
        try await session.change(subject(machine.id)) { connection in
            try await connection.startDomain(named: name, paused: true)
        }
        do {
            try await load(file, into: machine.id)
        } catch let error as KilnError where ![.unreachable, .interrupted].contains(error.exit) {
            // The hypervisor may not have noticed yet that its process is gone.
            let hasEnded = try await waitUntilOff(machine.id, within: .seconds(1))
            guard LibvirtMachines.isTemplateAtFault(hasEnded: hasEnded, lastWords: lastWords(of: machine.id)) else {
                throw error
            }
            throw LibvirtMachines.failed(
                "\(machine.id) can't go on where its template stood: \(error.message)",
                error.cause
            )
        }
        // Nothing of the template is read any more: what can't be plugged in is the machine's own.
        try await plugIn(machine)
        let booting = try document(machine)
        try await session.change(subject(machine.id)) { connection in
            _ = try await connection.defineDomain(xml: booting)
        }
    }

    /// Whether a machine that does not go on where its template stood fails by the template, so that others would, too.
    ///
    /// A QEMU that lives has refused what it was given, and one that ends by that says so. What else ends it, such as the host's
    /// want of memory, says nothing against a template.
    static func isTemplateAtFault(hasEnded: Bool, lastWords: String?) -> Bool {
        // migration/migration.c: "load of migration failed: Invalid argument".
        !hasEnded || lastWords?.contains("migration") == true
    }

    private func load(_ devices: Int32, into machine: MachineID) async throws {
        try await leaveMemoryOut(of: machine)
        try await pass(devices, to: machine)
        _ = try await monitor("migrate-incoming", ["uri": .string("fd:\(LibvirtMachines.stream)")], of: machine)
        try await waitFor("loaded", machine) {
            try await monitor("query-status", [:], of: machine)["status"]?.string != "inmigrate"
        }
    }

    // Before its first instruction: its guest finds all of it at once when it goes on.
    private func plugIn(_ machine: MachineSpec) async throws {
        let ports = ClonePorts(machine)
        var documents: [String] = []
        if machine.network == .open { documents.append(try DeviceDocument.card(of: machine, port: ports.card)) }
        for (position, volume) in machine.volumes.enumerated() {
            let disk = MachineDisk.volume(volume, position: position)
            documents.append(try DeviceDocument.disk(disk, of: machine, port: ports.volume(position)))
        }
        // Last: it is what the guest waits for.
        if let seed = machine.seed {
            documents.append(try DeviceDocument.disk(.seed(seed), of: machine, port: ports.seed))
        }
        for card in try PassedCard.all(of: machine) {
            _ = try await monitor("netdev_add", card.network, of: machine.id)
            _ = try await monitor("device_add", card.device, of: machine.id)
        }
        let name = machine.id.domainName
        try await session.change(subject(machine.id)) { [documents] connection in
            for xml in documents { try await connection.attachDevice(xml: xml, to: name, scope: .live) }
        }
    }

    private static let stream = "kiln-template"

    // What is a file already is not written to the stream, and not expected in it.
    private func leaveMemoryOut(of machine: MachineID) async throws {
        let capability: JSONValue = ["capability": "x-ignore-shared", "state": true]
        _ = try await monitor("migrate-set-capabilities", ["capabilities": .array([capability])], of: machine)
    }

    private func pass(_ file: Int32, to machine: MachineID) async throws {
        let command = #"{"execute":"getfd","arguments":{"fdname":"\#(LibvirtMachines.stream)"}}"#
        let answer = try await session.change(subject(machine)) { connection in
            try await connection.monitorCommand(command, of: machine.domainName, passing: file)
        }
        try require(answer, "getfd", of: machine)
    }

    private func isMemorySealed() async throws -> Bool {
        let version = try await session.read("the hypervisor") { try await $0.hypervisorVersion() }
        return version >= LibvirtMachines.firstWithSealedMemory
    }

    // QEMU tells of it by events, of which libvirt passes none on for what happens behind its back.
    private func waitFor(_ what: String, _ machine: MachineID, _ isSo: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + LibvirtMachines.saving
        while try await !isSo() {
            guard ContinuousClock.now < end else {
                throw LibvirtMachines.failed("\(machine) was not \(what) within \(LibvirtMachines.saving)", nil)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private static func failed(_ what: String, _ cause: String?) -> KilnError {
        KilnError(
            .templateFailed,
            what,
            cause: cause.map { Printable.line(Printable.text($0.utf8.prefix(500))) },
            exit: .aborted
        )
    }
}
