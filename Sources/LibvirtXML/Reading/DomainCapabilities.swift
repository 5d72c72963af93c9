/// What libvirt says a machine of one kind could be made of.
public struct DomainCapabilities: Sendable, Hashable {
    /// The processor models that the hypervisor knows.
    public let processorModels: Set<String>
    /// The path of the program that would run it.
    public let emulator: String?

    /// Reads `<domainCapabilities>`.
    ///
    /// - Throws: `XMLError` where it is no XML, or another document.
    public init(xml: String) throws(XMLError) {
        let root = try XMLElement.parsed(xml)
        guard root.name == "domainCapabilities" else {
            throw XMLError(.unexpected, "expected 'domainCapabilities', found '\(root.name)'")
        }
        emulator = root.child("path")?.text
        let modes = root.child("cpu")?.all("mode") ?? []
        let custom = modes.first { $0["name"] == "custom" }
        processorModels = Set(custom?.all("model").map(\.text) ?? [])
    }
}
