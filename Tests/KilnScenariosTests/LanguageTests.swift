import KilnModel
import Testing

@testable import KilnScenarios

@Suite("What is found in the steps of a file before it runs")
struct LanguageTests {
    private static let server = "volumes: { data: /data }\nports: { http: 80 }"

    private func found(_ steps: String) throws -> [String] {
        try problems(scenario(server: LanguageTests.server, steps: steps))
    }

    private static let save = "{ exec: { server: web, command: hostname }, save: { host: stdout } }"

    @Test(
        "a saved value that an earlier step saves on every way is taken",
        arguments: [
            "[up, \(save), { note: '${saved.host}' }]",
            "[up, \(save), { exec: { server: web, command: [echo, '${saved.host}'], contains: '${saved.host}' } }]",
            "[up, { parallel: [\(save), { note: a }] }, { note: '${saved.host}' }]",
            "[up, { repeat: { times: 2, steps: [\(save)] } }, { note: '${saved.host}' }]",
            "[up, \(save), { note: a, when: { value: '${saved.host}', is: web } }]",
            "[up, \(save), { http: { server: web, port: http, path: '/${saved.host}', method: POST, body: '${saved.host}' } }]",
            "[up, \(save), { note: a, finally: [{ note: '${saved.host}' }] }]",
            "[up, \(save), { copy-in: { server: web, to: /a, content: '${saved.host}' } }]",
            "[up, { snapshot: { volume: data }, save: { s: name } }, { stop: all }, { restore: { volume: data, to: '${saved.s}' } }]",
        ]
    )
    func taken(steps: String) throws {
        let problems = try found(steps)
        #expect(problems.isEmpty, "\(problems)")
    }

    @Test(
        "a saved value that no earlier step saves on every way is refused, at its place",
        arguments: [
            ("[up, { note: '${saved.host}' }]", "no step before this one saves 'host' on every way here; nothing is"),
            ("[up, { note: '${saved.hots}', name: a }, \(save)]", "saves 'hots'"),
            ("[up, \(save), { note: '${saved.hots}' }]", "(did you mean 'host'?); saved: host"),
            ("[up, { parallel: [\(save), { note: '${saved.host}' }] }]", "saves 'host' on every way"),
            (
                "[up, { exec: { server: web, command: a }, save: { id: stdout } }, "
                    + "{ use: a, when: { value: '${saved.id}', is: b } }, { note: '${saved.host}' }]\n"
                    + "steps-named: { a: [\(save)] }",
                "saves 'host' on every way"
            ),
            ("[up, { note: a, finally: [\(save)] }, { note: '${saved.host}' }]", "saves 'host' on every way"),
            ("[up, \(save)]\nfinally: [{ note: '${saved.host}' }]", "saves 'host' on every way"),
            (
                "[up, { use: a }]\nsteps-named: { a: [{ note: '${saved.host}' }] }",
                "steps-named.a[0].note: no step before"
            ),
        ]
    )
    func unsaved(steps: String, part: String) throws {
        let problems = try found(steps)
        #expect(problems.count == 1 && problems[0].contains(part), "\(problems)")
    }

    @Test(
        "a saved value stands in texts only",
        arguments: [
            ("[up, \(save), { snapshot: { volume: data, name: '${saved.host}' } }]", "expected a name"),
            ("[up, \(save), { exec: { server: web, command: 'test ${saved.host}' } }]", "write the command as a list"),
            ("[up, \(save), { note: a, name: 'of ${saved.host}' }]", "can't stand here"),
            (
                "[up, \(save), { expect: { server: web, checks: [{ exec: [echo, '${saved.host}'] }] } }]",
                "can't stand here"
            ),
            ("[up, \(save), { note: '${saved.Host}' }]", "expected ${saved.NAME} with a name"),
        ]
    )
    func misplaced(steps: String, part: String) throws {
        let problems = try found(steps)
        #expect(problems.contains { $0.contains(part) }, "\(problems)")
    }

    @Test(
        "what can't work is told with the reason",
        arguments: [
            ("[up, { note: a, save: { b: stdout } }]", "'note' finds nothing out that could be saved"),
            ("[up, { exec: { server: web, command: a }, save: { b: stdot } }]", "(did you mean 'stdout'?)"),
            ("[up, { exec: { server: web, command: a }, save: {} }]", "expected at least one name, found an empty map"),
            (
                "[up, { exec: { server: web, command: a }, save: { b: stdout }, expect-failure: true }]",
                "a step that has to fail finds nothing out"
            ),
            ("[up, { note: a, when: { value: a } }]", "expected 'is' or 'not', found neither"),
            ("[up, { note: a, when: { value: a, is: b, not: c } }]", "expected 'is' or 'not', found both"),
            (
                "[up, { use: b }]\nsteps-named: { a: [{ note: a }] }",
                "expected the name of a list in 'steps-named', found 'b'"
            ),
            ("[up, { use: a }]\nsteps-named: { a: [{ use: a }] }", "it would never end: a uses a"),
            (
                "[up, { use: a }]\nsteps-named: { a: [{ use: b }], b: [{ use: a }] }",
                "it would never end: a uses b uses a"
            ),
            ("[up]\nsteps-named: { a: [{ nott: a }] }", "(did you mean 'note'?)"),
            ("[up]\nfinally: []", "finally: expected a list of steps, found an empty list"),
            (
                "[up, { parallel: [{ replace: { server: web, image: 'tiny:2' } }, { stop: [web] }] }]",
                "the server 'web' is changed by two of the steps that run at the same time"
            ),
            (
                "[up, { repeat: { times: 2, steps: [{ stop: [web] }] } }]",
                "the server 'web' is not running at this step"
            ),
            ("[up, { restore: { volume: data, to: a } }]", "is in use at this step; stop the server 'web' first"),
            ("[up, { clone: { volume: data, as: data } }]", "choose another name for the clone"),
            ("[up, { check: { volume: data } }]", "is in use at this step"),
            ("[up, { copy-in: { server: web, to: /a } }]", "expected 'content' or 'from', found neither"),
            ("[up, { copy-in: { server: web, to: /a, from: missing } }]", "can't be read"),
            ("[up, { copy-out: { server: web, from: /a, as: ../b } }]", "expected a file's name"),
            ("[up, { expect: { server: web, checks: [] } }]", "expected a list of checks, found an empty list"),
            (
                "[up, { write-ledger: { server: web, path: /data/a } }, "
                    + "{ write-ledger: { server: web, path: /data/b, ledger: b } }, "
                    + "{ verify-ledger: { server: web } }, { verify-ledger: { server: web, ledger: b } }]",
                "a machine has one way to acknowledge"
            ),
            (
                "[{ repeat: { times: 10000, steps: [{ repeat: { times: 10000, steps: [{ note: a }] } }] } }]",
                "expected at most 100000 steps to be performed"
            ),
        ]
    )
    func mistakes(steps: String, part: String) throws {
        let problems = try found(steps)
        #expect(problems.count == 1 && problems[0].contains(part), "\(problems)")
    }

    @Test("a server whose replacement has to fail may be halted: its data can be brought back, and another machine")
    func afterFailure() throws {
        let end = "{ restore: { volume: data, to: a } }, { replace: { server: web, image: 'tiny:1' } }]"
        let replace = "replace: { server: web, image: 'tiny:2' }"
        #expect(try found("[up, { \(replace), expect-failure: halted }, \(end)").isEmpty)
        #expect(try found("[up, { \(replace) }, \(end)").count == 1)
    }

    @Test("steps that use each other more and more are refused, whatever they come to")
    func laughs() throws {
        let lists = (1...14).map { "a\($0): [{ use: a\($0 + 1) }, { use: a\($0 + 1) }]" } + ["a15: [{ note: ha }]"]
        let problems = try found("[{ use: a1 }]\nsteps-named: { \(lists.joined(separator: ", ")) }")
        #expect(
            problems.contains { $0.contains("expected at most 10000 steps, with what 'use' stands for") },
            "\(problems.prefix(3))"
        )
    }

    @Test("what a lab's file can't have is told, and not passed over")
    func labFile() throws {
        let text = "kiln: 1\nname: a\nlab: { servers: { web: { image: tiny } } }\nfinally: [{ note: a }]\n"
        #expect(
            try problems(text).contains { $0.contains("finally: it is for scenarios, and this file has no 'steps'") }
        )
    }
}
