import Foundation
import KilnTestSupport
import Testing

@testable import KilnScenarios

@Suite("The kinds of step")
struct StepKindTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/KilnScenarios/Steps")

    /// `CopyInStep.swift` is where `copy-in` is.
    private static func word(_ file: String) -> String {
        let name = file.replacing("Step.swift", with: "")
        // An acronym is one word.
        if name == name.uppercased() { return name.lowercased() }
        let words = name.map { $0.isUppercase ? "-\($0.lowercased())" : String($0) }.joined()
        return String(words.dropFirst())
    }

    @Test("every file of the folder is a kind, and every kind has a file")
    func files() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: StepKindTests.folder.path)
        #expect(files.allSatisfy { $0.hasSuffix("Step.swift") }, "\(files)")
        #expect(files.map(StepKindTests.word).sorted() == StepKind.all.map(\.word).sorted())
    }

    @Test("no word means two kinds, and one that is an attribute, too, is the kind that holds steps")
    func words() {
        let words = StepKind.all.flatMap(\.words)
        #expect(Set(words).count == words.count)
        #expect(words.filter { StepAttribute(rawValue: $0) != nil } == ["retry"])
        #expect(StepKind.named("volume-snapshot")?.word == "snapshot")
        #expect(StepKind.all.allSatisfy { !$0.about.isEmpty && $0.about.hasSuffix(".") })
    }

    @Test(
        "what the decoder takes, the schema takes, and what it refuses for its structure, the schema refuses",
        arguments: [
            ("up", true), ("{ up: all }", true), ("{ up: [web], name: first, timeout: 5m }", true),
            ("{ retry: { times: 2, steps: [{ note: a }] } }", true),
            ("{ note: a, retry: { times: 2, every: 1s } }", true),
            ("{ parallel: [{ note: a }, { note: b }] }", true),
            ("{ repeat: { times: 2, steps: [{ parallel: [{ note: a }, { note: b }] }] } }", true),
            ("{ note: a, when: { value: 1, is: 1 }, finally: [{ sleep: 1s }] }", true),
            ("{ within: { time: 1s, steps: [{ note: a }] } }", true),
            ("upp", false), ("{ up: all, down: all }", false), ("{ name: a }", false), ("{ note: a, nmae: b }", false),
            ("{ parallel: [{ note: a }] }", false), ("{ repeat: { times: 2, steps: [] } }", false),
            ("{ repeat: { times: 0, steps: [{ note: a }] } }", false), ("{ note: '' }", false),
            ("{ note: a, timeout: 5 }", false), ("{ note: a, finally: [] }", false), ("{ sleep: soon }", false),
            ("{ note: a, retry: { times: 1001 } }", false), ("{ note: a, retry: { every: 1s } }", false),
            ("{ repeat: { times: 2, steps: [{ parallel: [{ note: 1, nmae: a }, { note: b }] }] } }", false),
            ("{ note: a, when: { is: 1 } }", false), ("{ note: a, expect-failure: false }", false),
        ]
    )
    func schema(step: String, isRight: Bool) throws {
        let text = scenario(server: "volumes: { data: /data }", steps: "[\(step)]")
        let structure = try SchemaChecker(ScenarioSchema.document).problems(text)
        #expect(structure.isEmpty == isRight, "\(structure)")
        let found = try problems(text)
        #expect(found.isEmpty == isRight, "\(found)")
    }
}
