import Foundation
import KilnModel
import Testing

/// The index against the sources, which are read as text.
@Suite("The index of error codes")
struct ErrorIndexTests {
    private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Sources").standardizedFileURL

    private struct File {
        let path: String
        let text: String
    }

    /// The sources of the program and, apart from them, those of the index.
    private static func read() throws -> (program: [File], index: [File]) {
        let names = FileManager.default.enumerator(atPath: sources.path)?.compactMap { $0 as? String } ?? []
        let files = try names.filter { $0.hasSuffix(".swift") }.map {
            File(path: $0, text: try String(contentsOf: sources.appendingPathComponent($0), encoding: .utf8))
        }
        let index = files.filter { $0.path.hasPrefix("KilnModel/Errors/ErrorCode+") }
        let isTool = { (path: String) in path.hasPrefix("kiln-") }
        let program = files.filter { file in !isTool(file.path) && !index.contains { $0.path == file.path } }
        return (program, index)
    }

    @Test("every code has its meaning and its exit codes, once")
    func complete() {
        let codes = ErrorCode.index
        #expect(codes.count > 150)
        #expect(Set(codes).count == codes.count)
        for code in codes {
            #expect(!code.meaning.isEmpty && !code.exits.isEmpty, "\(code)")
            #expect(code.rawValue.wholeMatch(of: /[a-z]+([.-][a-z0-9]+)*/) != nil, "\(code)")
        }
    }

    @Test("every member stands in the list of its area")
    func members() throws {
        let declared = try Self.read().index.flatMap { file in
            file.text.matches(of: /static let \w+ = ErrorCode\(\s*"([^"]+)"/).map { String($0.1) }
        }
        #expect(declared.sorted() == ErrorCode.index.map(\.rawValue).sorted())
    }

    @Test("a code that the sources write as text is in the index")
    func literals() throws {
        let known = Set(ErrorCode.index.map(\.rawValue))
        for file in try Self.read().program {
            let made = file.text.matches(of: /(?:KilnError\(|FileError\.failed\()\s*"([^"\\]+)"/).map { String($0.1) }
            let compared = file.text.matches(of: /[cC]ode == "([^"]+)"/).map { String($0.1) }
            for code in made + compared { #expect(known.contains(code), "\(code) in \(file.path)") }
        }
    }

    @Test("every code of the index is used by the sources")
    func used() throws {
        let text = try Self.read().program.map(\.text).joined(separator: "\n")
        let index = try Self.read().index.map(\.text).joined(separator: "\n")
        for match in index.matches(of: /static let (\w+) = ErrorCode\(\s*"([^"]+)"/) {
            let (member, code) = (String(match.1), String(match.2))
            // The reasons of refused headers are an enum, whose text ends the code.
            let isReason = code.hasPrefix("image.refused.")
            let isUsed =
                text.contains("\"\(code)\"") || text.contains(".\(member)")
                || isReason && text.contains("case \(code.split(separator: ".").last ?? "")")
                || isReason && text.contains("= \"\(code.split(separator: ".").last ?? "")\"")
            #expect(isUsed, "\(code)")
        }
    }

    @Test("an error is given with an exit code that the index has for its code")
    func exits() throws {
        let names = try Self.read().index.flatMap { file in
            file.text.matches(of: /static let (\w+) = ErrorCode\(\s*"([^"]+)"/).map { (".\($0.1)", "\"\($0.2)\"") }
        }
        let texts = Dictionary(uniqueKeysWithValues: names)
        let exits = Dictionary(uniqueKeysWithValues: ErrorCode.index.map { ("\"\($0)\"", $0.exits.map { "\($0)" }) })
        for file in try Self.read().program {
            for match in file.text.matches(of: /KilnError\(\s*("[^"\\]+"|\.\w+)/) {
                let call = Self.call(in: file.text[match.range.lowerBound...])
                let exit = call.firstMatch(of: /exit: \.(\w+)\s*\)$/).map { String($0.1) }
                if call.contains("exit:") && exit == nil { continue }
                let code = texts[String(match.1)] ?? String(match.1)
                let isKnown = exits[code]?.contains(exit ?? "internalError") ?? false
                #expect(isKnown, "\(code) ends with \(exit ?? "-") in \(file.path)")
            }
        }
    }

    /// From `KilnError(` to the parenthesis that closes it; those in texts come in pairs.
    private static func call(in text: Substring) -> Substring {
        var depth = 0
        for index in text.indices {
            if text[index] == "(" { depth += 1 }
            if text[index] == ")" { depth -= 1 }
            if text[index] == ")" && depth == 0 { return text[...index] }
        }
        return text
    }
}
