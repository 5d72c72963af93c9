import Foundation
import KilnModel
import Testing

@Suite struct ProcessorModelTests {
    @Test(
        "a model is one of Kiln's words or the hypervisor's name, and is written as it was read",
        arguments: [
            ("x86-64-v2", ProcessorModel.level2), ("x86-64-v3", .level3), ("host", .host),
            ("EPYC-v4", .named("EPYC-v4")),
            ("486", .named("486")), ("Opteron_G5", .named("Opteron_G5")),
        ]
    )
    func accepted(text: String, model: ProcessorModel) throws {
        #expect(ProcessorModel(text) == model && model.text == text)
        let decoded = try JSONDecoder().decode([ProcessorModel].self, from: JSONEncoder().encode([model]))
        #expect(decoded == [model])
    }

    @Test(
        "what could be more than a name, or is a level that has no meaning here, is none",
        arguments: [
            "", "x86-64-v1", "x86-64-v4", "x86-64", "max,+avx", "a b", "-cpu", "<x>", "é",
            String(repeating: "a", count: 41),
        ]
    )
    func refused(text: String) { #expect(ProcessorModel(text) == nil) }

    @Test("a server's own sizes go before its image's; records of before have no processor model")
    func size() throws {
        let image = MachineSize(memory: .mebibytes(64), processors: 2, cpu: .level3)
        var server = ServerSpec(image: try ImageReference("tiny"), processors: 1)
        #expect(server.size(over: image) == MachineSize(memory: .mebibytes(64), processors: 1, cpu: .level3))
        server.cpu = .host
        #expect(server.size(over: image).cpu == .host)
        #expect(try JSONDecoder().decode(ServerSpec.self, from: JSONEncoder().encode(server)) == server)
    }
}
