import Foundation
import KilnModel
import KilnSystem

/// What was found of an image, as the CI servers read it.
///
/// https://github.com/testmoapp/junitxml
public struct JUnitDocument: Sendable {
    private let name: String
    private let attestation: Attestation

    /// The document of an image, called `name`.
    public init(_ attestation: Attestation, name: String) {
        self.attestation = attestation
        self.name = name
    }

    /// Writes it to a file, whole or not at all.
    ///
    /// - Throws: `state.not-writable` or `disk.full`.
    public func write(to path: String) throws { try DurableFile.write(Data(text.utf8), to: path) }

    /// The document.
    public var text: String {
        let assertions = attestation.assertions
        let failures = assertions.count { $0.outcome != .passed }
        let counts = "tests=\"\(assertions.count)\" failures=\"\(failures)\" errors=\"0\""
        let head = "name=\(quoted(name)) \(counts) time=\"\(seconds(attestation.seconds))\""
        let lines =
            ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<testsuites \(head)>", "  <testsuite \(head)>"]
            + properties + assertions.flatMap(testCase) + ["  </testsuite>", "</testsuites>", ""]
        return lines.joined(separator: "\n")
    }

    private var properties: [String] {
        let values = [
            ("image", attestation.image.description), ("suite", attestation.suite.description),
            ("acceleration", attestation.acceleration ?? "none"),
        ]
        return ["    <properties>"]
            + values.map { "      <property name=\(quoted($0.0)) value=\(quoted($0.1))/>" } + ["    </properties>"]
    }

    private func testCase(_ assertion: Assertion) -> [String] {
        let head =
            "    <testcase classname=\(quoted("\(name) \(assertion.place.rawValue)")) name=\(quoted(assertion.subject)) "
            + "time=\"\(seconds(assertion.seconds))\""
        guard assertion.outcome != .passed else { return [head + "/>"] }
        let message = quoted("expected \(assertion.expected), found \(assertion.found)")
        // What passes only sometimes fails the command, too.
        return [
            head + ">", "      <failure type=\(quoted(assertion.outcome.rawValue)) message=\(message)/>",
            "    </testcase>",
        ]
    }

    private func seconds(_ value: Double) -> String {
        let thousandths = Int((max(value, 0) * 1000).rounded())
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }

    // What XML can't hold is replaced, and what it takes for its own is written otherwise.
    private func quoted(_ text: String) -> String {
        let escapes: [Character: String] = ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "\t": "&#9;"]
        let scalars = Printable.line(text).unicodeScalars.filter { ![0xfffe, 0xffff].contains($0.value & 0xffff) }
        return "\"" + scalars.map { escapes[Character($0)] ?? String($0) }.joined() + "\""
    }
}
