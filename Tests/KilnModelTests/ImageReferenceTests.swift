import Foundation
import KilnModel
import Testing

@Suite struct ImageReferenceTests {
    static let digits = String(repeating: "0123456789abcdef", count: 4)

    @Test("the four ways to name an image are read and written back")
    func forms() throws {
        let digest = try #require(ImageDigest(Self.digits))
        for (text, selector) in [
            ("tiny", ImageReference.Selector.latest), ("tiny:1.2-rc_3+x", .version("1.2-rc_3+x")),
            ("tiny@sha256:\(Self.digits)", .digest(digest)), ("tiny@stable", .channel(try Name("stable"))),
        ] {
            let reference = try ImageReference(text)
            #expect(reference.name.text == "tiny")
            #expect(reference.selector == selector)
            #expect(reference.description == text)
            #expect(try JSONDecoder().decode(ImageReference.self, from: JSONEncoder().encode(reference)) == reference)
        }
    }

    @Test(
        "a reference that names no image is refused",
        arguments: [
            "", ":1", "tiny:", "tiny:../1", "tiny:a/b", "tiny:.hidden", "tiny:-x", "tiny:1:2", "tiny:1 ", "tiny:$(id)",
            "tiny@", "tiny@1", "tiny@Stable", "tiny@a@b", "tiny@../a", "tiny@-", "tiny@sha256:stable", "tiny@sha256:12",
            "tiny@sha512:\(digits)", "../tiny", "TINY", "tiny:1@sha256:\(digits)",
            "tiny:\(String(repeating: "1", count: 41))", "tiny:\n",
        ]
    )
    func refused(_ text: String) { #expect(throws: KilnError.self) { try ImageReference(text) } }

    @Test("a digest is 64 lower-case hexadecimal digits and nothing else")
    func digest() throws {
        #expect(ImageDigest(Self.digits)?.hex == Self.digits)
        #expect(ImageDigest("sha256:" + Self.digits)?.description == "sha256:" + Self.digits)
        #expect(ImageDigest(Self.digits)?.short == "0123456789ab")
        for text in [
            "", "sha256:", Self.digits.uppercased(), String(Self.digits.dropLast()), Self.digits + "0",
            "sha256:sha256:" + Self.digits, String(Self.digits.dropLast()) + "g", String(Self.digits.dropLast()) + "é",
        ] {
            #expect(ImageDigest(text) == nil, "\(text)")
        }
    }
}
