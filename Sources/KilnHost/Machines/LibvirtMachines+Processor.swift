import KilnModel
import LibvirtKit
import LibvirtXML

extension LibvirtMachines {
    /// Requires that the hypervisor knows the processor model that a machine names.
    ///
    /// Kiln's own words need no question: the features that they stand for are in every QEMU that it supports.
    /// - Throws: `machine.no-processor-model`.
    func requireProcessor(of machine: MachineSpec) async throws {
        guard case .named(let name) = machine.size.cpu else { return }
        let platform = machine.platform
        let xml = try await session.read(subject(machine.id)) { connection in
            try await connection.domainCapabilities(
                architecture: platform.arch,
                machine: platform.machine,
                virtualization: platform.isEmulated ? "qemu" : "kvm"
            )
        }
        let models = try DomainCapabilities(xml: xml).processorModels
        guard !models.contains(name) else { return }
        throw KilnError(
            .machineNoProcessorModel,
            "\(machine.id) asks for the processor model \(Name.quoted(name)), which the hypervisor does not know"
                + Suggestion.text(for: name, among: Array(models)),
            hint:
                "give the server another 'cpu': x86-64-v2, x86-64-v3, host, or one of \(models.sorted().joined(separator: ", "))",
            exit: .aborted
        )
    }
}
