import Foundation
import KilnModel
import Testing

@Suite struct NameTests {
    @Test(
        "a name that would mean something else in a path, an argument or XML is refused",
        arguments: [
            "", "../x", "a/b", ".", "..", "$(id)", "`id`", "<x>", "a&b", "a b", "-rf", "a-", "a\0b", "a\nb", "a.b",
            "a:b",
            "a@b", "a#b", "a_b", "Web", "🔥", "а", "１", "0a", "ß", String(repeating: "a", count: 41),
            String(repeating: "x", count: 300),
        ]
    )
    func hostile(_ text: String) throws {
        #expect(!Name.accepts(text))
        let error = try #require(throws: KilnError.self) { try Name(text) }
        #expect(error.code == .nameInvalid)
        #expect(error.exit == .invalidFile)
        #expect(!error.message.unicodeScalars.contains { $0.value < 0x20 })
        #expect(error.message.count < 250)
        #expect(throws: KilnError.self) { try JSONDecoder().decode(Name.self, from: JSONEncoder().encode(text)) }
    }

    @Test("plain names are accepted", arguments: ["a", "web", "db-1", "a--b", "x9", String(repeating: "a", count: 40)])
    func accepted(_ text: String) throws {
        let name = try Name(text)
        #expect(name.text == text)
        #expect(name.description == text)
        #expect(try JSONDecoder().decode(Name.self, from: JSONEncoder().encode(name)) == name)
    }

    @Test("names are ordered by their text")
    func order() throws {
        #expect(try [Name("b"), Name("a-1"), Name("a")].sorted().map(\.text) == ["a", "a-1", "b"])
    }

    @Test("a name as the key of a dictionary is written as plain JSON")
    func dictionaryKey() throws {
        let ports = [try Name("http"): 80]
        let data = try JSONEncoder().encode(ports)
        #expect(String(decoding: data, as: UTF8.self) == #"{"http":80}"#)
        #expect(try JSONDecoder().decode([Name: Int].self, from: data) == ports)
        #expect(throws: (any Error).self) {
            try JSONDecoder().decode([Name: Int].self, from: Data(#"{"../x":80}"#.utf8))
        }
    }

    @Test("quoted text holds no control characters and is cut")
    func quoted() {
        #expect(Name.quoted("a\u{1b}[31m\n\u{9b}") == #"'a\u{1b}[31m\u{a}\u{9b}'"#)
        #expect(Name.quoted(String(repeating: "x", count: 61)) == "'" + String(repeating: "x", count: 60) + "…'")
    }
}
