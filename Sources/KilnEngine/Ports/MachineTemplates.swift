import KilnModel

/// Makes templates of machines, and machines that go on where a template stands.
///
/// All methods throw `KilnError`; one with exit `.unreachable` means that nothing is known of what happened.
public protocol MachineTemplates: Sendable {
    /// What of the hypervisor a template depends on, as a text: with any other one it can't be used.
    ///
    /// - Throws: `template.impossible` where this hypervisor has no templates.
    func templateGround() async throws -> String
    /// Starts a machine that is to be a template, and of which nothing is left once it has ended; makes the file of its memory.
    func startTemplate(_ machine: MachineSpec) async throws
    /// Stops a template where it stands, writes what its devices hold to the new file `devices`, and ends it.
    ///
    /// From then on nobody changes the file of its memory any more.
    func saveTemplate(_ machine: MachineSpec, devices: String) async throws
    /// Defines the machine and makes it one that stands still where a template stood, with its seed, volumes and cards plugged in.
    ///
    /// It goes on when it is started. Its definition is that of a machine which boots, as its next start will be a boot.
    func clone(_ machine: MachineSpec, memory: String, devices: String) async throws
}
