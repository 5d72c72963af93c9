import Foundation
import KilnSystem
import KilnTestSupport
import Testing

/// A real browser without a window, in which tests look at pages.
struct Browser {
    /// What a page is shown on.
    struct Screen: Sendable, CustomTestStringConvertible {
        let width: Int
        let height: Int
        var isDark = false

        static let projector = Screen(width: 1_280, height: 800)
        static let phone = Screen(width: 390, height: 844)
        static let darkPhone = Screen(width: 390, height: 844, isDark: true)
        static let all = [projector, phone, darkPhone]

        var testDescription: String { "\(width) × \(height)\(isDark ? ", dark" : "")" }
    }

    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// What is seen of a page.
    func look(at html: String, on screen: Screen) async throws -> PageLook {
        // The page forbids every script, so its copy loses that rule to have itself measured.
        let page = html.replacing(#/<meta http-equiv="Content-Security-Policy"[^>]*>/#, with: "")
            .replacing("</body>", with: "<script>\(PageLook.script)</script></body>")
        let said = try await run(page, screen, ["--dump-dom"]).text
        let found = try #require(said.firstMatch(of: #/BEGIN([A-Za-z0-9+\/=]+)END/#), "\(said.prefix(2_000))")
        return try JSONDecoder().decode(PageLook.self, from: try #require(Data(base64Encoded: String(found.1))))
    }

    /// What is on paper.
    struct Print {
        /// The words of each sheet.
        let words: [String]
        /// How much of the first sheet is white, and how much black, from 0 to 1.
        let white: Double
        let black: Double
    }

    /// The page on paper.
    func print(_ html: String, dark: Bool) async throws -> Print {
        let paper = directory.path + "/page.pdf"
        let screen = Screen(width: 1_280, height: 800, isDark: dark)
        _ = try await run(html, screen, ["--no-pdf-header-footer", "--print-to-pdf=\(paper)"])
        let said = try await Command("pdftotext", ["-layout", paper, "-"]).run()
        // Shades of grey, a byte for each pixel, behind three lines that tell so.
        let picture = directory.path + "/sheet"
        try await Command("pdftoppm", ["-gray", "-r", "40", "-f", "1", "-l", "1", "-singlefile", paper, picture]).run()
        let shades = try Data(contentsOf: URL(filePath: picture + ".pgm")).split(separator: 10, maxSplits: 3)[3]
        return Print(
            words: String(decoding: said.output, as: UTF8.self).split(separator: "\u{c}").map(String.init),
            white: Double(shades.count { $0 == 255 }) / Double(shades.count),
            black: Double(shades.count { $0 < 64 }) / Double(shades.count)
        )
    }

    private func run(_ html: String, _ screen: Screen, _ arguments: [String]) async throws -> Command.Output {
        let page = directory.path + "/page.html"
        try Data(html.utf8).write(to: URL(filePath: page))
        // Its own sandbox is not for root, by whom CI runs all; the page is a test's.
        let sandbox = geteuid() == 0 ? ["--no-sandbox"] : []
        // 0 is dark and 1 light: mojom::PreferredColorScheme.
        let scheme = "--blink-settings=preferredColorScheme=\(screen.isDark ? 0 : 1)"
        return try await Command(
            "chromium-headless-shell",
            sandbox + [
                // A container's /dev/shm may be smaller than a page.
                "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
                "--user-data-dir=\(directory.path)/profile", scheme,
                "--window-size=\(screen.width),\(screen.height)",
            ] + arguments + ["file://\(page)"]
        ).run()
    }
}
