import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnBakery

#if canImport(FoundationXML)
import FoundationXML
#endif

@Suite("Assertions for CI servers")
struct JUnitDocumentTests {
    private func assertion(_ subject: String, _ outcome: Assertion.Outcome, found: String = "x") -> Assertion {
        Assertion(subject: subject, expected: "y", found: found, outcome: outcome, place: .booted, seconds: 0.0426)
    }

    private func document(_ assertions: [Assertion]) throws -> JUnitDocument {
        let digest = try #require(ImageDigest(String(repeating: "a", count: 64)))
        return JUnitDocument(
            Attestation(image: digest, suite: digest, assertions: assertions, acceleration: "tcg", seconds: 12),
            name: "tiny:1"
        )
    }

    @Test("every assertion is a test case, and what did not pass a failure, also where it was flaky")
    func cases() throws {
        let text = try document([assertion("a", .passed), assertion("b", .failed), assertion("c", .flaky)]).text
        #expect(text.contains("<testsuite name=\"tiny:1\" tests=\"3\" failures=\"2\" errors=\"0\" time=\"12.000\">"))
        #expect(text.contains("<testcase classname=\"tiny:1 booted\" name=\"a\" time=\"0.043\"/>"))
        #expect(text.contains("<failure type=\"failed\" message=\"expected y, found x\"/>"))
        #expect(text.contains("<failure type=\"flaky\""))
    }

    @Test("a guest's words can't break the document")
    func hostile() throws {
        let hostile = "\"/><evil a='&amp;'>]]>\u{0}\u{1b}[2J\u{ffff}\n\u{202e}&"
        let text = try document([assertion(hostile, .failed, found: hostile)]).text
        let parser = XMLParser(data: Data(text.utf8))
        let elements = Elements()
        parser.delegate = elements
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(elements.names.filter { $0 == "testcase" }.count == 1 && !elements.names.contains("evil"))
    }

    @Test("a file is written whole")
    func file() throws {
        let folder = try TemporaryDirectory()
        let document = try document([assertion("a", .passed)])
        try document.write(to: folder.path + "/junit.xml")
        #expect(try String(contentsOfFile: folder.path + "/junit.xml", encoding: .utf8) == document.text)
        #expect(throws: KilnError.self) { try document.write(to: folder.path + "/none/junit.xml") }
    }

    private final class Elements: NSObject, XMLParserDelegate {
        var names: [String] = []

        func parser(
            _ parser: XMLParser,
            didStartElement name: String,
            namespaceURI: String?,
            qualifiedName: String?,
            attributes: [String: String]
        ) { names.append(name) }
    }
}
