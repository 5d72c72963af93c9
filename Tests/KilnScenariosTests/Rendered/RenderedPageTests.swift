import Foundation
import KilnModel
import Testing

@testable import KilnScenarios

@Suite("A page as a browser shows it", .serialized, .timeLimit(.minutes(5)))
struct RenderedPageTests {
    @Test("on every screen what counts is seen first, and all texts can be read", arguments: RunPortrait.allCases)
    func portraits(_ portrait: RunPortrait) async throws {
        let html = try portrait.html()
        keep(html, portrait.rawValue)
        for screen in Browser.Screen.all {
            let look = try await Browser().look(at: html, on: screen)
            let place = Comment(rawValue: "\(portrait) on \(screen.testDescription)")
            #expect(look.bottoms.count == 4 && look.bottoms.values.allSatisfy { $0 <= Double(screen.height) }, place)
            expectReadable(look, place)
            #expect(screen.isDark ? look.light < 0.1 : look.light > 0.9, place)
        }
    }

    @Test("several runs on one page, a server's life and a lab that is watched can be read as well")
    func others() async throws {
        let runs = try ReportPage([
            RunHistory(ReportFixture.report(steps: [])), RunHistory(ReportFixture.report(steps: [])),
        ])
        let server = LabPage.Server(
            name: "web",
            generation: "2",
            image: "tiny:2",
            state: "running",
            ports: "http 18080",
            steps: "healthy 3 s",
            answers: "200 in 4 ms",
            serves: true
        )
        let lab = LabPage(
            lab: try Name("shop"),
            pause: .seconds(60),
            problem: nil,
            run: ["a"],
            servers: [server, server]
        )
        for html in [try runs.html(), try lab.html()] {
            for screen in Browser.Screen.all {
                expectReadable(try await Browser().look(at: html, on: screen), "on \(screen.testDescription)")
            }
        }
    }

    @Test("what a guest printed is text, whatever it looks like, and is nowhere run")
    func hostile() async throws {
        let said =
            #"<img src=x onerror="document.body.id='hit'"><script>document.body.id='hit'</script></pre></li><h1>"#
        let steps = [ReportFixture.step([1], said, .failed, detail: said)]
        var run = RunHistory(
            try ReportFixture.report(.failed, exit: .unmet, steps: steps, error: KilnError("a.b", said))
        )
        run.consoles = [ConsoleExcerpt(server: try Name("web"), generation: Generation(1), text: said)]
        let look = try await Browser().look(at: try ReportPage([run]).html(), on: .phone)
        let plain = try await Browser().look(at: try RunPortrait.halted.html(), on: .phone)
        #expect(Set(look.markup).subtracting(plain.markup).isEmpty, "\(look.markup)")
        // The name, the detail, the verdict, the cause and the console.
        #expect(look.text.components(separatedBy: said.prefix(40)).count - 1 >= 5, "\(look.text)")
        expectReadable(look, "hostile")
    }

    @Test("on paper the verdict and its numbers are on the first sheet, black on white also where screens are dark")
    func paper() async throws {
        for dark in [false, true] {
            let sheets = try await Browser().print(try RunPortrait.lossy.html(), dark: dark)
            let first = try #require(sheets.words.first)
            for word in ["Lost data", "3 of 412", "8.4 s", "117, 118, 119"] {
                #expect(first.contains(word), "\(first)")
            }
            #expect(sheets.white > 0.7 && sheets.black > 0.001, "dark \(dark): \(sheets.white) \(sheets.black)")
        }
    }

    private func expectReadable(_ look: PageLook, _ place: Comment) {
        #expect(look.excess <= 0, place)
        #expect(look.overlaps.isEmpty && look.outside.isEmpty && look.pale.isEmpty, place)
    }

    // To be looked at by people: where KILN_TEST_EVIDENCE says.
    private func keep(_ html: String, _ name: String) {
        guard let folder = ProcessInfo.processInfo.environment["KILN_TEST_EVIDENCE"] else { return }
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try? Data(html.utf8).write(to: URL(filePath: "\(folder)/\(name).html"))
    }
}
