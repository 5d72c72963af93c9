import Foundation
import KilnDocuments
import KilnModel
import Testing

@testable import KilnScenarios

@Suite("Variables and the matrix of a file")
struct VariablesTests {
    private func text(_ declarations: String, image: String = "tiny", steps: String = "[up]") -> String {
        """
        kiln: 1
        name: test
        \(declarations)
        lab:
          servers:
            web: { image: "\(image)" }
        steps: \(steps)

        """
    }

    private func scenarios(_ text: String) throws -> [Scenario] {
        try withFolder { folder in
            let file = folder.appending(path: "a.yaml")
            try Data(text.utf8).write(to: file)
            return try ScenarioFile.scenarios(at: file.path)
        }
    }

    @Test("a value stands wherever a scalar may, and a number stays one")
    func vars() throws {
        let steps =
            #"["${vars.first}", { repeat: { times: "${vars.times}", steps: [{ note: "${vars.times} times, $${HOME}" }] } }]"#
        let declared = "vars: { name: tiny, version: 2, times: 3, first: up }"
        let read = try #require(
            try scenarios(text(declared, image: "${vars.name}:${vars.version}", steps: steps)).first
        )
        #expect(read.lab.servers.values.map(\.image.description) == ["tiny:2"])
        #expect((read.steps[1].action as? RepeatStep)?.times == 3)
        #expect((read.steps[1].children.first?.action as? NoteStep)?.text.text == "3 times, $${HOME}")
        #expect(read.warnings.isEmpty && read.variant.isEmpty)
    }

    @Test("each combination of a matrix is a scenario of its own, in the order of the file's values")
    func matrix() throws {
        let declared = "matrix: { version: [1, 2], word: [a, b] }"
        let all = try scenarios(
            text(declared, image: "tiny:${matrix.version}", steps: "[up, { note: '${matrix.word}' }]")
        )
        #expect(
            all.map { $0.variant.sorted { $0.key < $1.key }.map(\.value) } == [
                ["1", "a"], ["1", "b"], ["2", "a"], ["2", "b"],
            ]
        )
        #expect(all.map { $0.lab.servers.values.first?.image.description } == ["tiny:1", "tiny:1", "tiny:2", "tiny:2"])
        #expect(all.first?.title == "test (version=1, word=a)")
    }

    @Test("a file of several combinations is no single scenario, nor a single lab where they differ")
    func several() throws {
        try withFolder { folder in
            let file = folder.appending(path: "a.yaml")
            try Data(text("matrix: { version: [1, 2] }", image: "tiny:${matrix.version}").utf8).write(to: file)
            #expect(throws: InvalidFile.self) { try ScenarioFile.scenario(at: file.path) }
            #expect(throws: InvalidFile.self) { try ScenarioFile.lab(at: file.path) }
            #expect(try ScenarioFile.labs(at: file.path).count == 2)
            let same = text("matrix: { word: [a, b] }", steps: "[up, { note: '${matrix.word}' }]")
            try Data(same.utf8).write(to: file)
            #expect(try ScenarioFile.lab(at: file.path).lab.servers.count == 1)
        }
    }

    @Test(
        "braces that nobody declared stay as they are in what programs of the guest read, with a warning, and only there"
    )
    func others() throws {
        let script = "port=${vars.port} name=${vars.name} ${vars.port:-1}"
        let steps = #"[up, { copy-in: { server: web, to: /a, content: "\#(script)" } }]"#
        let server = #"{ image: tiny, user-data: { write_files: [{ path: /a, content: "\#(script)" }] } }"#
        let file = text("vars: { name: x }", steps: steps).replacing(#"{ image: "tiny" }"#, with: server)
        let read = try #require(try scenarios(file).first)
        let wanted = "port=${vars.port} name=x ${vars.port:-1}"
        #expect(
            read.lab.servers.values.first?.userData == ["write_files": [["path": "/a", "content": .string(wanted)]]]
        )
        guard case .text(let copied)? = (read.steps.last?.action as? CopyInStep)?.content else {
            Issue.record("nothing is copied")
            return
        }
        #expect(copied.text == wanted)
        let told = read.warnings.filter { $0.message.hasSuffix("it stays as it is written") }
        #expect(Set(told.map(\.path)).count == 2 && told.contains { $0.message.contains("'${vars.port}'") })
        #expect(throws: InvalidFile.self) {
            try scenarios(text("vars: { name: x }", steps: "[{ note: '${vars.port}' }]"))
        }
    }

    @Test(
        "what is so of a member is known in user-data only, and what is no such thing is told with what was meant",
        arguments: [
            ("${member.index}", "a", nil),
            ("${member.indx}", "a", "nothing is called '${member.indx}' (did you mean 'member.index'?)"),
            ("a", "${member.index}", "'${member.index}' is known in user-data only"),
        ]
    )
    func ofMembers(_ inData: String, _ inStep: String, _ warning: String?) throws {
        let server = #"{ image: tiny, user-data: { runcmd: ["echo \#(inData)"] } }"#
        let file = text("about: a", steps: "[up, { note: '\(inStep)' }]").replacing(#"{ image: "tiny" }"#, with: server)
        let told = try #require(try scenarios(file).first).warnings.map(\.message)
        #expect(warning.map { expected in told.contains { $0.hasPrefix(expected) } } ?? told.isEmpty, "\(told)")
    }

    @Test(
        "a mistake is told at its place",
        arguments: [
            ("vars: { a: 1 }", "tiny:${vars.b}", "6:19: lab.servers.web.image: nothing is called '${vars.b}'"),
            ("vars: { size: 1 }", "tiny:${vars.sise}", "(did you mean 'vars.size'?)"),
            ("about: a", "tiny:${vars.b}", "the file declares none"),
            ("about: a", "tiny:${matrix.b}", "the file declares none"),
            ("vars: { a: [1] }", "tiny", "vars.a: expected a text, a number, true or false"),
            ("vars: { A: 1 }", "tiny", "expected a name"),
            ("vars: { a: '${vars.b}', b: 1 }", "tiny", "a variable can't stand for another one"),
            ("matrix: {}", "tiny", "matrix: expected at least one name, found an empty map"),
            ("matrix: { a: [] }", "tiny:${matrix.a}", "matrix.a: expected a list of values, found an empty list"),
            ("matrix: { a: 1 }", "tiny:${matrix.a}", "matrix.a: expected a list of values"),
            ("matrix: { a: [[1]] }", "tiny:${matrix.a}", "expected a text, a number, true or false"),
        ]
    )
    func mistakes(declared: String, image: String, part: String) throws {
        let found = try problems(text(declared, image: image))
        #expect(found.contains { $0.contains(part) }, "\(found)")
    }

    @Test("a matrix of a million is refused by name, before anything is made of it")
    func million() throws {
        let values = "[\((1...100).map(String.init).joined(separator: ", "))]"
        let found = try problems(text("matrix: { a: \(values), b: \(values), c: \(values) }"))
        #expect(
            found.contains {
                $0.contains("expected at most 256 combinations, found more: a has 100, b has 100, c has 100")
            }
        )
    }

    @Test("a file that its variables blow up is refused")
    func blownUp() throws {
        let long = String(repeating: "a", count: 60_000)
        let notes = String(repeating: "{ note: '${vars.a}' }, ", count: 200)
        let found = try problems(text("vars: { a: \(long) }", steps: "[up, \(notes) up]"))
        #expect(
            found.contains { $0.contains("grows to more than 4 MiB by its variables") },
            "\(found.map { $0.prefix(200) })"
        )
    }

    @Test("what nothing uses is a warning")
    func unused() throws {
        let read = try scenarios(text("vars: { a: 1 }"))
        #expect(read.first?.warnings.map(\.path) == ["vars.a"])
    }
}
