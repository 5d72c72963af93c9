import ArgumentParser
import Foundation
import KilnEngine
import KilnModel
import KilnScenarios
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnCLI

@Suite("A lab that is watched, on fakes")
struct WatchVerbTests {
    private let kiln: WorldSession

    init() throws { kiln = try WorldSession() }

    @Test("a lab that is not there yet has no servers, and one that is has them with what they answer")
    func glance() async throws {
        #expect(try await kiln.kiln("watch", "shop", "--once").output == "shop: no servers\n")
        #expect(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        let seen = try await kiln.kiln("watch", "shop", "--once")
        #expect(seen.status == 0 && seen.output.hasPrefix("SERVER  GEN  STATE"), "\(seen.output)")
        #expect(seen.output.contains("web     1    running"), "\(seen.output)")
        #expect(try await kiln.kiln("watch", "other", "--once").output == "other: no servers\n")
    }

    @Test("an operation that has not ended is told with the steps that are done and the one that it is in")
    func operation() async throws {
        #expect(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        kiln.world.guests.reply { _, _ in
            try? await Task.sleep(for: .seconds(600))
            return nil
        }
        let engine = try await kiln.workspace().engine
        let id = MemberID(lab: try Name("shop"), server: try Name("web"))
        let replacing = Task {
            try await engine.replace(id, ReplaceOptions(image: try ImageReference("tiny:2")))
        }
        while (try? engine.history(id).open?.replacement.entered.count).flatMap({ $0 }) ?? 0 < 2 { await Task.yield() }
        let glance = try await LabGlance(id.lab, engine)
        let server = try #require(glance.servers.first)
        #expect(server.steps.first?.step == .plan && server.steps.filter { $0.milliseconds == nil }.count <= 1)
        #expect(glance.lines.last?.hasPrefix("web: plan ") == true, "\(glance.lines)")
        replacing.cancel()
        _ = await replacing.result
    }

    @Test("the page asks for itself again, and nothing in it is markup but its own")
    func page() async throws {
        try await Fixtures.withDirectory { directory in
            #expect(try await kiln.kiln("up", "-f", kiln.file).status == 0)
            let file = directory + "/lab.html"
            let seen = try await kiln.kiln("watch", "shop", "--once", "--every", "5s", "--html", file)
            #expect(seen.status == 0 && seen.errors.contains(file))
            let page = try String(contentsOfFile: file, encoding: .utf8)
            #expect(page.contains(#"http-equiv="refresh" content="5""#) && page.contains("<h1>shop</h1>"))
            #expect(page.contains("tiny:1") && !page.contains("<script"))
        }
    }

    @Test("a hypervisor that is gone for a moment is told, with what was seen last, and then the lab is seen again")
    func gone() async throws {
        #expect(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        let faults = kiln.world.faults
        let pictures = Mutex<[String]>([])
        let gone = KilnError(.hypervisorUnreachable, "gone", cause: "Broken pipe", exit: .unreachable)
        let output = ByteSink(
            write: { bytes in
                let count = pictures.withLock {
                    $0.append(String(decoding: bytes, as: UTF8.self))
                    return $0.count
                }
                faults.fail("machines", with: count == 1 ? gone : nil)
            },
            state: { pictures.withLock { $0.count } < 3 ? .open : .unread }
        )
        let end = try await kiln.run(["watch", "shop", "--every", "10ms"], output: output)
        #expect(end.status == 0, "\(end)")
        let seen = pictures.withLock { $0 }
        try #require(seen.count == 3, "\(seen)")
        let problem = "can't look, tries again, and shows what was seen last: gone (Broken pipe)\n"
        #expect(seen[1] == problem + seen[0] && seen[2] == seen[0], "\(seen)")
    }

    @Test("one that was never reached ends it, and what else is wrong does so at any time")
    func neverReached() async throws {
        #expect(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        let faults = kiln.world.faults
        let gone = KilnError(.hypervisorUnreachable, "gone", exit: .unreachable)
        faults.fail("machines", with: gone)
        #expect(try await kiln.kiln("watch", "shop").status == gone.exit.rawValue)
        faults.fail("machines", with: nil)
        let broken = KilnError(.hypervisorDocument, "impossible")
        let output = ByteSink { _ in faults.fail("machines", with: broken) }
        let end = try await kiln.run(["watch", "shop", "--every", "10ms"], output: output)
        #expect(end.status == broken.exit.rawValue && end.errors.contains("impossible"), "\(end)")
    }

    @Test("the page and programs are told that nobody can look, too")
    func unseen() async throws {
        #expect(try await kiln.kiln("up", "-f", kiln.file).status == 0)
        let seen = try await LabGlance(try Name("shop"), try await kiln.workspace().engine)
        let unseen = seen.unseen(KilnError(.hypervisorUnreachable, "<b>gone</b>\n", exit: .unreachable))
        let page = try unseen.page(every: .seconds(1)).html()
        #expect(page.contains("t look, tries again, and shows what was seen last: &lt;b&gt;gone&lt;/b&gt;"))
        #expect(page.contains("tiny:1"))
        #expect(try !seen.page(every: .seconds(1)).html().contains("tries again"))
        let line = try Renderer.line(unseen)
        #expect(line.contains(#""problem":"<b>gone</b> ""#), "\(line)")
    }

    @Test("what goes on is no JSON document, and a page that can't be written is refused first")
    func refused() async throws {
        #expect(throws: (any Error).self) { try KilnCommand.parseAsRoot(["watch", "shop", "--format", "json"]) }
        #expect(try await kiln.kiln("watch", "shop", "--html", "/none/lab.html").status == 64)
        let once = try await kiln.kiln("watch", "shop", "--once", "--format", "ndjson")
        #expect(once.output == #"{"lab":"shop","servers":[]}"# + "\n")
    }
}
