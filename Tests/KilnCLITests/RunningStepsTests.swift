import Foundation
import KilnEngine
import KilnModel
import KilnScenarios
import Testing

@testable import KilnCLI

@Suite("The steps of a scenario that go on")
struct RunningStepsTests {
    private let plain = Style(isColored: false)

    private func key(_ text: String, run: Int = 1) throws -> RunningSteps.Key {
        .init(run: run, id: try JSONDecoder().decode(StepID.self, from: Data("\"\(text)\"".utf8)))
    }

    @Test("on a terminal each has a line with the time that it took and will take, above what is waited for")
    func live() throws {
        var lines = ProgressLines(isLive: true, columns: 80, style: plain)
        let clear = "\r\u{1b}[K"
        let first = lines.begin(try key("1"), "step 1 up web", expected: .seconds(12), at: .zero)
        #expect(first == clear + "step 1 up web …  0.0 s of about 12.0 s")
        let web = try Fixtures.id("shop", "web")
        let wait = lines.take(.began(web, Generation(2), .healthy), at: .seconds(1))
        #expect(wait == clear + "step 1 up web …  1.0 s of about 12.0 s\nshop/web#2  healthy …  0.0 s")
        let two = clear + "\u{1b}[1A\u{1b}[K"
        let later = lines.tick(at: .seconds(2))
        #expect(later == two + "step 1 up web …  2.0 s of about 12.0 s\nshop/web#2  healthy …  1.0 s")
        #expect(lines.clear() == two && lines.tick(at: .seconds(3)).isEmpty)
        _ = lines.take(.finished(web, Generation(2), .healthy, milliseconds: 10), at: .seconds(3))
        #expect(lines.end(try key("1"), .passed, at: .seconds(4)) == clear + "step 1 up web  passed  4.0 s\n")
        #expect(lines.end(try key("1"), .passed, at: .seconds(4)).isEmpty)
    }

    @Test("only the innermost have lines, cut to the terminal, and so many that what was told stays to be seen")
    func inner() throws {
        var lines = ProgressLines(isLive: true, columns: 30, style: plain)
        _ = lines.begin(try key("1"), "step 1 parallel", expected: nil, at: .zero)
        var text = ""
        for number in 1...10 {
            text = lines.begin(
                try key("1.\(number)"),
                "step 1.\(number) sleep for a long time",
                expected: nil,
                at: .zero
            )
        }
        let shown = text.split(separator: "\n")
        #expect(shown.count == 9 && shown.last == "… and 2 more steps" && !text.contains("parallel"))
        #expect(shown.dropFirst().allSatisfy { $0.count <= 29 })
        lines.columns = 120
        #expect(lines.tick(at: .seconds(1)).contains("step 1.8 sleep for a long time …  1.0 s"))
        #expect(lines.endRun(1, at: .seconds(2)).hasSuffix("\u{1b}[K"))
    }

    @Test("in a log each is a line when it begins, and one more where it did not pass")
    func log() throws {
        var lines = ProgressLines(isLive: false, columns: 80, style: plain)
        let begin = lines.begin(try key("1"), "step 1 up web", expected: .seconds(3), at: .zero)
        #expect(begin == "step 1 up web, about 3.0 s\n")
        #expect(lines.end(try key("1"), .passed, at: .seconds(1)).isEmpty)
        #expect(lines.begin(try key("2"), "step 2\u{1b}[2J", expected: nil, at: .zero) == "step 2\\u{1b}[2J\n")
        #expect(lines.end(try key("2"), .failed, at: .seconds(1)) == "step 2\\u{1b}[2J  failed  1.0 s\n")
        #expect(lines.tick(at: .seconds(3)).isEmpty && lines.endRun(1, at: .seconds(3)).isEmpty)
    }
}
