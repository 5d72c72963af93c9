import Foundation
import Testing

@testable import KilnModel

@Suite("Patterns of texts")
struct TextPatternTests {
    @Test(
        "a text is contained, an expression is in a line, and '!' turns both round",
        arguments: [
            ("root", "root:x:0", true), ("root", "toor", false), ("!root", "toor", true), ("!root", "a root", false),
            ("/^b/", "a\nb", true), ("/^b/", "ab", false), ("!/^b/", "a\nb", false), ("!/^b/", "ab", true),
            ("/bin/sh", "#!/bin/sh", true), ("\\!x", "a!x", true), ("\\/a/", "x/a/y", true), ("\\/a/", "a", false),
            ("!\\/a/", "a", true), ("/", "a/b", true), ("a\nb", "xa\nbx", true), ("/a.b/", "a\nb", false),
        ]
    )
    func contained(written: String, text: String, isMet: Bool) throws {
        #expect(try TextPattern(written).isMet(by: text) == isMet)
    }

    @Test(
        "of a value's names one is the text, or has the expression in it",
        arguments: [
            ("root", ["root", "0"], true), ("0", ["root", "0"], true), ("roo", ["root", "0"], false),
            ("!root", ["root", "0"], false), ("!www", ["root", "0"], true), ("/oo/", ["root"], true),
            ("a", [], false), ("!a", [], true), ("!/^1\\./", ["2.0"], true),
        ]
    )
    func oneOf(written: String, values: [String], isMet: Bool) throws {
        #expect(try TextPattern(written).isMet(byOneOf: values) == isMet)
    }

    @Test(
        "the expressions that are known",
        arguments: [
            ("abc", "xabcx", true), ("^abc$", "abc", true), ("^abc$", "abcd", false), ("a.c", "abc", true),
            ("a.c", "ac", false), ("a*", "", true), ("^a+$", "aaa", true), ("^a+$", "", false), ("^ab?c$", "ac", true),
            ("^ab?c$", "abbc", false), ("^(ab)+$", "ababab", true), ("^(ab)+$", "aba", false),
            ("^(a|bc|)d$", "bcd", true), ("^(a|bc|)d$", "d", true), ("^(?:a|b)c$", "bc", true),
            ("^a{3}$", "aaa", true), ("^a{3}$", "aa", false), ("^a{2,}$", "aaaa", true), ("^a{2,3}$", "aaaa", false),
            ("^[a-c]x$", "bx", true), ("^[^a-c]x$", "bx", false), ("^[]a]$", "]", true), ("^[a-]$", "-", true),
            ("^[\\d_]+$", "1_2", true), (#"^\d+\.\d+$"#, "12.5", true), (#"^\d+\.\d+$"#, "1205", false),
            (#"\bcat\b"#, "a cat!", true), (#"\bcat\b"#, "concat", false), (#"^\w+\s\W$"#, "ab !", true),
            (#"^\S+$"#, "a b", false), ("(?i)^PERMIT root$", "permit ROOT", true), ("(?i)[A-C]", "b", true),
            ("(?i)[^A]", "a", false), ("ü.", "grüße", true), ("^.$", "😀", true), ("a||b", "", true),
            ("()*x", "x", true),
            (#"\/etc\/"#, "/etc/x", true), ("(a*)*b", "aab", true), ("$^", "", true), ("x{0}y", "y", true),
        ]
    )
    func expressions(text: String, line: String, isFound: Bool) throws {
        #expect(try LineExpression(text).isFound(in: line) == isFound)
    }

    @Test(
        "what is no pattern is told why",
        arguments: [
            ("", "empty"), ("!", "empty"), ("/(/", "a '(' without a ')'"), ("/)/", "a ')' without a '('"),
            ("/[a/", "a '[' without a ']'"), ("/*a/", "nothing before it"), ("/a**/", "in a row"),
            ("/a*?/", "in a row"), ("/a{2/", "expected '{n}'"), ("/a{x}/", "expected '{n}'"), ("/a{3,2}/", "smaller"),
            ("/a{501}/", "up to 500"), ("/a{99999999999}/", "'{n}'"), (#"/\z/"#, "'\\z' is not known"),
            (#"/\1/"#, "is not known"), (#"/a\/"#, "a backslash"), ("/(?=a)/", "'(?:'"), ("/[[:alpha:]]/", "a-zA-Z"),
            ("/[b-a]/", "before it begins"), (#"/[\D]/"#, "can't stand in"),
            ("/\(String(repeating: "(", count: 31))\(String(repeating: ")", count: 31))/", "nested"),
            ("/\(String(repeating: "a", count: 501))/", "500 characters"), ("/(a{500}){500}/", "too long"),
            ("/((((((){500}){500}){500}){500}){500}){500}/", "too long"),
        ]
    )
    func mistakes(written: String, message: String) {
        let error = #expect(throws: TextPattern.Mistake.self) { try TextPattern(written) }
        #expect(error?.message.contains(message) == true, "\(written): \(error?.message ?? "accepted")")
    }

    @Test("a line that keeps a matcher busy that goes back takes no longer than another", .timeLimit(.minutes(5)))
    func hostile() throws {
        let line = String(repeating: "a", count: 4_000)
        for text in ["(a+)+b", "(a|a)*b", "(a|aa)+$b", "^(.*)*b$"] {
            #expect(try !TextPattern("/\(text)/").isMet(by: line))
        }
    }

    @Test("a pattern comes back from the disk as it was written")
    func codable() throws {
        let patterns = try ["a", "!/b+/", "\\!c"].map { try TextPattern($0) }
        #expect(try JSONDecoder().decode([TextPattern].self, from: JSONEncoder().encode(patterns)) == patterns)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([TextPattern].self, from: Data("[\"/(/\"]".utf8))
        }
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([TextPattern].self, from: Data("[1]".utf8)) }
    }

    @Test("a number is itself, or within bounds")
    func numbers() throws {
        #expect(NumberCondition(3).holds(for: 3) && !NumberCondition(3).holds(for: 4))
        let some = try #require(NumberCondition(lt: 10, ge: 2))
        #expect(some.holds(for: 2) && some.holds(for: 9) && !some.holds(for: 10) && !some.holds(for: 1))
        #expect(some.description == "at least 2 and less than 10")
        let others = try #require(NumberCondition(le: 5, gt: 4))
        #expect(others.holds(for: 5) && !others.holds(for: 4) && !others.holds(for: 6))
        for none in [
            NumberCondition(), NumberCondition(lt: 0), NumberCondition(le: 1, ge: 2), NumberCondition(lt: 3, gt: 2),
        ] { #expect(none == nil) }
    }
}
