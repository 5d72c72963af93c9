import Testing

@testable import KilnCLI

@Suite("Hostile text")
struct ConsoleTextTests {
    @Test(
        "what could control a terminal is shown, not sent",
        arguments: [
            ("plain äöü 漢字\n\tok\n", "plain äöü 漢字\n\tok\n"),
            ("\u{1b}[31mred\u{1b}[0m", "\\u{1b}[31mred\\u{1b}[0m"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{1b}]52;c;cm0gLXJm\u{1b}\\", "\\u{1b}]52;c;cm0gLXJm\\u{1b}\\"),
            ("\u{9b}2J", "\\u{9b}2J"), ("a\u{8}b\u{0}", "a\\u{8}b\\u{0}"), ("\u{202e}gpj.exe", "\\u{202e}gpj.exe"),
            ("a\u{2028}b", "a\\u{2028}b"), ("\u{feff}", "\\u{feff}"),
        ]
    )
    func escaped(_ text: String, _ shown: String) { #expect(ConsoleText.escaped(text.utf8) == shown) }

    @Test("a carriage return is kept out where it ends a line, and shown where it would overwrite one")
    func carriageReturns() {
        #expect(ConsoleText.escaped("one\r\r\ntwo\r\n".utf8) == "one\ntwo\n")
        #expect(ConsoleText.escaped("real\rfake".utf8) == "real\\rfake")
        #expect(ConsoleText.escaped("end\r".utf8) == "end\\r")
    }

    @Test(
        "bytes that are no UTF-8 are shown one by one",
        arguments: [
            ([0x61, 0xff, 0x62], "a\\xffb"), ([0xc0, 0xaf], "\\xc0\\xaf"), ([0xe2, 0x82], "\\xe2\\x82"),
            ([0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"), ([0xf4, 0x90, 0x80, 0x80], "\\xf4\\x90\\x80\\x80"),
            ([0xe0, 0x80, 0x80], "\\xe0\\x80\\x80"), ([0x80], "\\x80"), ([0xc3, 0x28], "\\xc3("),
        ] as [([UInt8], String)]
    )
    func invalid(_ bytes: [UInt8], _ shown: String) { #expect(ConsoleText.escaped(bytes) == shown) }

    @Test("it makes no difference where a stream is cut")
    func chunks() {
        let bytes: [UInt8] = Array("ä€😀\r\n\u{1b}[2Jx\r".utf8) + [0xe2, 0x82]
        let whole = ConsoleText.escaped(bytes)
        for cut in 0...bytes.count {
            var escaper = ConsoleEscaper()
            let text = escaper.take(bytes[..<cut]) + escaper.take(bytes[cut...]) + escaper.finish()
            #expect(text == whole, "cut at \(cut)")
        }
    }

    @Test("a character is written as soon as it is whole")
    func eager() {
        var escaper = ConsoleEscaper()
        #expect(escaper.take([0x61, 0xe2, 0x82]) == "a")
        #expect(escaper.take([0xac]) == "€")
        #expect(escaper.finish().isEmpty)
    }

    @Test("on one line, breaks become blanks")
    func singleLine() { #expect(ConsoleText.singleLine("a\nb\r\tc\u{1b}") == "a b  c\\u{1b}") }
}
