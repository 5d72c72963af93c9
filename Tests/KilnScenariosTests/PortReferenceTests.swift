import KilnDocuments
import KilnModel
import Testing

@testable import KilnScenarios

@Suite("References to ports in user-data")
struct PortReferenceTests {
    @Test("references are replaced, and what a shell expands is left alone")
    func replacing() {
        let text = "a ${servers.db.ports.sql} ${HOME} ${x%.*} $$ ${a:-b.c} ${servers.db.x} $"
        let replaced = PortReference.replacing(in: text) { "\($0.server)=\($0.port)" }
        #expect(replaced == "a db=sql ${HOME} ${x%.*} $$ ${a:-b.c} ${servers.db.x} $")
        #expect(PortReference.expressions(in: text) == ["servers.db.ports.sql", "servers.db.x"])
    }

    @Test(
        "what is nearly a reference is a warning, and the braces of other programs are nobody's business",
        arguments: [
            ("${server.web.ports.http}", 1), ("${servers.web.port.http}", 1), ("${servers.web.ports}", 1),
            ("${ servers.db.ports.sql }", 1), ("${servers.db.ports.sql:-1}", 1), (#"${servers["db"].ports.sql}"#, 1),
            ("${{servers.db.ports.sql}}", 1), ("${observers.ports}", 0), ("${ports.servers}", 0),
            ("${server.port}", 0), ("${server.address}", 0), ("${server}", 0),
            ("${server%.*}", 0), ("${servers[0]}", 0),
        ]
    )
    func nearMiss(text: String, warnings: Int) throws {
        let problems = ProblemList(file: "a.yaml")
        let scalar = YAMLScalar(text: text, isPlain: false)
        let node = YAMLNode(position: Position(line: 1, column: 1), content: .scalar(scalar))
        let value = Value(node: node, path: "a", problems: problems)
        UserDataDecoder.checkReferences(value, from: try Name("web"), .open, DecodedLab())
        #expect(problems.isEmpty && problems.warnings.count == warnings, "\(problems.problems) \(problems.warnings)")
        #expect(PortReference.replacing(in: text) { _ in "changed" } == text)
    }
}
