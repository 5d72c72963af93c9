import Foundation
import KilnModel
import Testing

@testable import KilnScenarios

@Suite("A quiet hook")
struct QuietHookTests {
    private func lab(_ lines: String) -> String {
        """
        kiln: 1
        name: shop
        lab:
          servers:
            web:
              image: tiny:1
              ports: { http: 80 }
        \(lines.split(separator: "\n").map { "      \($0)" }.joined(separator: "\n"))
        steps: [up]
        """
    }

    private static let hooks = "drain: [{ run: hand over, quiet: true }, leave]"

    @Test("is read where a front holds requests, with members or with 'hold'", arguments: ["replicas: 2", "hold: 20s"])
    func read(_ front: String) throws {
        let text = lab("\(front)\n\(Self.hooks)\nready: [{ http: { port: http, path: / } }]")
        let spec = try #require(KilnScenariosTests.read(text).lab.servers[try Name("web")])
        #expect(spec.drain.map(\.isQuiet) == [true, false])
    }

    @Test(
        "is refused where nobody could keep it",
        arguments: [
            ("\(hooks)\nready: [{ http: { port: http, path: / } }]", "which takes 'replicas' or 'hold'"),
            ("replicas: 2\n\(hooks)\nready: [{ tcp: { port: http, expect: hello } }]", "no check shows that a port"),
            ("hold: 9s\ndrain: [{ run: a, quiet: true }, { run: b, quiet: true }]", "make one of the 2"),
            ("hold: 9s\nafter-attach: [{ run: begin, quiet: true }]", "is for hooks in 'drain'"),
            ("hold: 9s\ndrain: [{ run: begin, quiet: often }]", "expected true or false"),
        ]
    )
    func refused(_ lines: String, _ words: String) throws {
        let problems = try KilnScenariosTests.problems(lab(lines))
        #expect(problems.count == 1 && problems.first?.contains(words) == true, "\(problems)")
    }

    @Test("is written down as what it is; a hook that asks for nothing is written as before, and read")
    func written() throws {
        for hook in [Hook(["true"], isQuiet: true), Hook(["true"])] {
            let data = try JSONEncoder().encode(hook)
            #expect(try JSONDecoder().decode(Hook.self, from: data) == hook)
            #expect(String(decoding: data, as: UTF8.self).contains("quiet") == hook.isQuiet)
        }
    }
}
