import KilnEngine
import KilnModel
import Testing

@testable import KilnCLI

@Suite("Progress")
struct ProgressLinesTests {
    private let plain = Style(isColored: false)

    private func events() throws -> (MemberID, Generation) { (try Fixtures.id("shop", "web"), Generation(2)) }

    @Test("without a terminal there are only whole lines, one per finished step")
    func finished() throws {
        let (web, two) = try events()
        var lines = ProgressLines(isLive: false, columns: 80, style: plain)
        #expect(lines.take(.plan(web, "launch tiny:1"), at: .zero) == "shop/web  launch tiny:1\n")
        #expect(lines.take(.began(web, two, .healthy), at: .zero) == "")
        #expect(
            lines.take(.finished(web, two, .healthy, milliseconds: 12_345), at: .seconds(12))
                == "shop/web#2  healthy  12.3 s\n"
        )
        #expect(lines.tick(at: .seconds(13)).isEmpty)
        #expect(lines.clear().isEmpty)
    }

    @Test("without a terminal a wait is told when it changes, but not more often than the throttle allows")
    func throttled() throws {
        let (web, two) = try events()
        var lines = ProgressLines(isLive: false, columns: 80, style: plain)
        _ = lines.take(.began(web, two, .healthy), at: .zero)
        #expect(lines.take(.waiting(web, two, "kernel"), at: .seconds(1)) == "")
        #expect(
            lines.take(.waiting(web, two, "kernel"), at: .seconds(6)) == "shop/web#2  healthy: kernel …  6.0 s\n"
        )
        #expect(lines.take(.waiting(web, two, "init"), at: .seconds(8)) == "")
        #expect(lines.take(.waiting(web, two, "init"), at: .seconds(11)) == "shop/web#2  healthy: init …  11.0 s\n")
        #expect(lines.take(.waiting(web, two, "init"), at: .seconds(60)) == "")
    }

    @Test("on a terminal the wait is rewritten in place and goes away when the step is done")
    func live() throws {
        let (web, two) = try events()
        var lines = ProgressLines(isLive: true, columns: 80, style: plain)
        #expect(lines.take(.began(web, two, .healthy), at: .zero) == "\r\u{1b}[Kshop/web#2  healthy …  0.0 s")
        #expect(lines.tick(at: .milliseconds(1500)) == "\r\u{1b}[Kshop/web#2  healthy …  1.5 s")
        #expect(
            lines.take(.waiting(web, two, "kernel"), at: .seconds(2))
                == "\r\u{1b}[Kshop/web#2  healthy: kernel …  2.0 s"
        )
        #expect(
            lines.take(.note("by the way"), at: .seconds(3))
                == "\r\u{1b}[Kby the way\n\r\u{1b}[Kshop/web#2  healthy: kernel …  3.0 s"
        )
        #expect(
            lines.take(.finished(web, two, .healthy, milliseconds: 4000), at: .seconds(4))
                == "\r\u{1b}[Kshop/web#2  healthy  4.0 s\n"
        )
        #expect(lines.tick(at: .seconds(5)).isEmpty)
    }

    @Test("the rewritten line never wraps")
    func narrow() throws {
        let (web, two) = try events()
        var lines = ProgressLines(isLive: true, columns: 30, style: plain)
        let text = lines.take(.waiting(web, two, String(repeating: "x", count: 200)), at: .zero)
        #expect(text.count == "\r\u{1b}[K".count + 29)
    }

    @Test("several servers at once share the line")
    func several() throws {
        let (web, two) = try events()
        var lines = ProgressLines(isLive: true, columns: 80, style: plain)
        _ = lines.take(.began(web, two, .start), at: .zero)
        let text = lines.take(.began(try Fixtures.id("shop", "db"), two, .start), at: .seconds(1))
        #expect(text == "\r\u{1b}[Kshop/web#2  start …  1.0 s  (and 1 more)")
    }

    @Test("text from a guest can't control the terminal")
    func hostile() throws {
        let (web, two) = try events()
        var lines = ProgressLines(isLive: false, columns: 80, style: plain)
        let turn = TurnBack(direction: .revert, step: .healthy, code: .readyTimeout, reason: "bad\u{1b}[2J\nnews")
        #expect(
            lines.take(.turnedBack(web, turn), at: .zero)
                == "shop/web  revert: healthy failed: bad\\u{1b}[2J news\n"
        )
        #expect(lines.take(.note("a\u{7}"), at: .zero) == "a\\u{7}\n")
        _ = lines.take(.began(web, two, .start), at: .zero)
        #expect(lines.take(.waiting(web, two, "\u{1b}c"), at: .seconds(6)).contains("\\u{1b}c"))
    }

    @Test("quiet means no progress at all")
    func quiet() throws {
        let recorded = RecordedSession()
        recorded.session(isQuiet: true).say("nobody reads this")
        #expect(recorded.errors.isEmpty)
    }

    @Test(
        "durations are short",
        arguments: [
            (Duration.milliseconds(40), "0.0 s"), (.milliseconds(1260), "1.3 s"), (.seconds(119), "119.0 s"),
            (.seconds(123), "2 min 03 s"),
        ]
    )
    func durations(_ duration: Duration, _ text: String) { #expect(ProgressLines.seconds(duration) == text) }

    @Test("colours and rewriting need a terminal that wants them")
    func terminals() {
        func terminal(_ environment: [String: String], errors: Bool = true) -> Terminal {
            Terminal(input: true, output: true, errors: errors, environment: environment)
        }
        #expect(terminal(["TERM": "xterm"]).style.isColored)
        #expect(terminal(["TERM": "xterm"]).canRewriteLine)
        #expect(!terminal(["TERM": "xterm", "NO_COLOR": "1"]).style.isColored)
        #expect(!terminal(["TERM": "xterm", "NO_COLOR": "1"]).isOutputColored)
        #expect(terminal(["TERM": "xterm", "NO_COLOR": ""]).style.isColored)
        #expect(terminal(["TERM": "xterm", "NO_COLOR": "1"]).canRewriteLine)
        #expect(!terminal(["TERM": "dumb"]).canRewriteLine)
        #expect(!terminal([:]).canRewriteLine)
        #expect(!terminal(["TERM": "xterm"], errors: false).style.isColored)
    }
}
