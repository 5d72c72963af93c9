import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnStore

@Suite("What tests say of an image")
struct AttestationTests {
    private let fixture: StoreFixture
    private let image: ImageDigest

    init() throws {
        fixture = try StoreFixture()
        image = try fixture.seal("web:1", mark: 1).digest
    }

    private var store: ImageStore { fixture.store }

    @Test("an image is untested until its tests are passed, and only that is a pass")
    func verdicts() throws {
        #expect(try store.verdict(on: image) == .untested && !store.isAttested(image))
        for (outcome, verdict) in [
            (Assertion.Outcome.flaky, TestVerdict.flaky), (.failed, .failed), (.passed, .passed),
        ] {
            try fixture.attest(image, outcome)
            #expect(try store.verdict(on: image) == verdict)
            #expect(try store.isAttested(image) == (verdict == .passed))
        }
    }

    @Test("tests that asked nothing are no pass")
    func empty() throws {
        let nothing = Attestation(
            image: image,
            suite: try fixture.suite(1),
            assertions: [],
            acceleration: nil,
            seconds: 0
        )
        try store.attest(nothing)
        #expect(try store.verdict(on: image) == .untested)
    }

    @Test("the last tests count, whatever earlier ones of another suite found")
    func last() throws {
        try fixture.attest(image, .passed, suite: 2)
        try fixture.attest(image, .failed, suite: 1)
        #expect(try store.verdict(on: image) == .failed)
        #expect(try store.attestations(of: image).map(\.number) == [1, 2])
        try fixture.attest(image, .passed, suite: 2)
        #expect(try store.isAttested(image))
        #expect(try store.attestations(of: image).count == 2)
    }

    @Test("a pass of a suite that the image has no more is none: whoever changes what is asked asks again")
    func outdated() throws {
        try fixture.attest(image, .passed, suite: 9)
        #expect(try store.verdict(on: image) == .untested)
        try fixture.attest(image)
        try fixture.attest(image, .failed, suite: 9)
        #expect(try store.isAttested(image))
    }

    @Test("of two tests that ended at once the worse one counts")
    func atOnce() throws {
        let folder = "\(store.root)/attestations/\(image.hex)"
        try fixture.attest(image, .failed, suite: 1)
        let kept = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(try fixture.suite(1).hex).json"))
        try FileManager.default.removeItem(atPath: folder)
        try fixture.attest(image, .passed, suite: 2)
        try kept.write(to: URL(fileURLWithPath: "\(folder)/\(try fixture.suite(1).hex).json"))
        #expect(try store.attestations(of: image).map(\.number) == [1, 1])
        #expect(try store.verdict(on: image) == .failed)
    }

    @Test("an attestation outlives its image, says nothing of another, and leaves the sealed folder as it is")
    func outlives() throws {
        let other = try fixture.seal("web:2", mark: 2).digest
        let sealed = try FileManager.default.contentsOfDirectory(atPath: store.content(image)).sorted()
        try fixture.attest(image)
        #expect(try !store.isAttested(other))
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.content(image)).sorted() == sealed)
        try store.remove(try ImageReference("web:1"))
        #expect(try store.isAttested(image))
        // A file that was carried to another image's folder is not taken for that one's.
        let folders = "\(store.root)/attestations"
        try FileManager.default.copyItem(atPath: "\(folders)/\(image.hex)", toPath: "\(folders)/\(other.hex)")
        #expect(try !store.isAttested(other))
    }
}
