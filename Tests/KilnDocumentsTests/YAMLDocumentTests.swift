import KilnDocuments
import Testing

@Suite("Hostile and surprising YAML")
struct YAMLDocumentTests {
    /// What is wrong with `text` before anybody asks what it means.
    private func problems(_ text: String) -> [String] {
        let problems = ProblemList(file: "a.yaml")
        _ = YAMLDocument.root(of: text, problems)
        return problems.sorted.map { $0.description.replacing("a.yaml:", with: "") }
    }

    @Test("every key that is written twice is reported where it stands the second time")
    func duplicates() {
        let text = """
            kiln: 1
            name: a
            name: b
            lab:
              servers:
                web: { image: tiny, "image": tiny, ports: { a: 1, b: 2, a: 3 } }
            steps: [up]
            name: c
            """
        let found = problems(text)
        #expect(
            found == [
                "3:1: name: the key is written twice, the first time at 2:1",
                "6:25: lab.servers.web.image: the key is written twice, the first time at 6:12",
                "6:61: lab.servers.web.ports.a: the key is written twice, the first time at 6:49",
                "8:1: name: the key is written twice, the first time at 2:1",
            ]
        )
    }

    @Test("a key that is written twice in two ways is still found")
    func escapedDuplicate() {
        let found = problems("kiln: 1\n\"\\u0061\": 1\na: 2\n")
        #expect(found.contains { $0.contains("written twice") }, "\(found)")
    }

    @Test("aliases are refused before they can multiply")
    func bomb() {
        var text = "a0: &a0 [x, x]\n"
        for level in 1...60 { text += "a\(level): &a\(level) {[*a\(level - 1), *a\(level - 1)]: 1}\n" }
        let found = problems(text)
        #expect(found.contains { $0.contains("anchors (&) and aliases (*) are not supported") }, "\(found.prefix(3))")
    }

    @Test(
        "what could hide or crash is refused",
        arguments: [
            ("kiln: !!int '1'", "tags (!) are not supported"),
            ("kiln: !include x", "tags (!) are not supported"),
            ("a: \"\\0\"", "NUL"),
            ("? [a]\n: b", "keys that are plain text"),
            ("a: 1\n---\nb: 2\n", "not YAML"),
            ("", "empty file"),
            ("# nothing\n", "empty file"),
            ("a: b: c", "1:5: not YAML"),
            ("a: 1\nb: x\u{1}", "2:5: not YAML: a control character"),
        ]
    )
    func refused(text: String, part: String) { expectRefusal(of: text, naming: part) }

    // Repeated here and not in the arguments, which a test's log shows in full.
    @Test(
        "what is deep or long beyond reason is refused",
        arguments: [
            ("[", 500_000, "", "not YAML"),
            ("- ", 400_000, "", "not YAML"),
            ("[", 900, "]", "levels of nesting"),
            ("# x\n", 300_000, "", "at most 1 MiB"),
        ]
    )
    func bomb(opening: String, count: Int, closing: String, part: String) {
        let text = String(repeating: opening, count: count) + String(repeating: closing, count: count)
        expectRefusal(of: text, naming: part)
    }

    private func expectRefusal(of text: String, naming part: String) {
        let found = problems(text)
        #expect(found.contains { $0.contains(part) }, "\(found.prefix(3).map { $0.prefix(300) })")
    }

    @Test("hostile keys are printed harmlessly")
    func hostileKeys() {
        let found = problems("\"\\e[2J\": { a: 1, a: 2 }\n")
        #expect(found.contains { $0.contains("\\u{1b}") })
        #expect(!found.contains { $0.contains("\u{1b}") })
    }

    @Test(
        "text is what is written, with characters that YAML 1.1 takes for breaks of lines",
        arguments: [
            "a\u{85}b", "a\u{2028}b\u{2029}c", "\u{85}", "a\u{feff}b", "\u{1f600}\u{e000}", "a\t b ", "e\u{301}*",
        ]
    )
    func characters(text: String) throws {
        for written in ["a: \"\(text)\"", "a: '\(text)'", "a: |-\n  \(text)"] {
            let problems = ProblemList(file: "x")
            let root = try #require(YAMLDocument.root(of: written, problems), "\(problems.problems)")
            #expect(root.json["a"]?.string?.unicodeScalars.elementsEqual(text.unicodeScalars) == true, "\(written)")
        }
    }

    @Test("bytes that are no UTF-8 text are refused at their place")
    func latin1() {
        let problems = ProblemList(file: "x")
        #expect(TextFile.text([0x61, 0x0a, 0xc3, 0xa4, 0xe9, 0x0a], problems) == nil)
        #expect(TextFile.text([0x61, 0x0a, 0x00], problems) == nil)
        #expect(
            problems.problems.map(\.description) == [
                "x:2:2: expected UTF-8 text, found the byte 0xe9", "x:2:1: expected text without NUL characters",
            ]
        )
    }
}
