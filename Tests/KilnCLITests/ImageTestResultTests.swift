import Foundation
import KilnModel
import Testing

@testable import KilnCLI

@Suite("What was found of an image")
struct ImageTestResultTests {
    private func result(_ outcomes: [Assertion.Outcome], found: String = "0600") throws -> ImageTestResult {
        let assertions = outcomes.map { outcome in
            Assertion(
                subject: "file /etc/motd: mode",
                expected: "0644",
                found: found,
                outcome: outcome,
                place: .offline,
                seconds: 0.1
            )
        }
        let digest = try Fixtures.digest()
        return ImageTestResult(
            name: "tiny:1",
            attestation: Attestation(
                image: digest,
                suite: digest,
                assertions: assertions,
                acceleration: "tcg",
                seconds: 12.34
            )
        )
    }

    @Test("all assertions are a table, and what failed is told once more with what was expected")
    func failed() throws {
        #expect(
            try Renderer.text(result([.passed, .failed]), as: .table) == """
                RESULT  WHERE    WHAT                  FOUND
                passed  offline  file /etc/motd: mode  0600
                failed  offline  file /etc/motd: mode  0600

                failed: file /etc/motd: mode
                  expected: 0644
                  found:    0600
                tiny:1 failed: 1 of 2 assertions hold, in 12.3 s

                """
        )
    }

    @Test("a pass is said in a line, and what is flaky is none")
    func verdicts() throws {
        #expect(try Renderer.text(result([.passed]), as: .table).contains("tiny:1 passed: 1 of 1 assertions hold"))
        #expect(try Renderer.text(result([.flaky]), as: .table).contains("tiny:1 is flaky: 0 of 1"))
    }

    @Test("a guest's words stay on their line")
    func hostile() throws {
        let text = try Renderer.text(result([.failed], found: "a\n\u{1b}[2Jb"), as: .table)
        #expect(!text.contains("\u{1b}") && !text.contains("a\n"))
    }

    @Test("programs get the attestation and its outcome")
    func json() throws {
        struct Read: Decodable {
            let name: String
            let outcome: Assertion.Outcome
            let attestation: Attestation
        }
        let result = try result([.passed, .flaky])
        let read = try JSONDecoder().decode(Read.self, from: Data(Renderer.text(result, as: .json).utf8))
        #expect(read.name == "tiny:1" && read.outcome == .flaky && read.attestation == result.attestation)
    }
}
