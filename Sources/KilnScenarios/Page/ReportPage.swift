import KilnEngine
import KilnModel
import Mustache

/// A page that shows what happened, whole in one file, and complete without a script.
///
/// Nothing that a guest or a file says becomes markup: the template escapes every text, and it is printable and cut before.
public struct ReportPage: Sendable {
    /// How much one page shows of everything that has a length, so that it stays below two megabytes.
    struct Measure: Sendable {
        let rows: Int
        let failures: Int
        let lanes: Int
        let strips: Int
        let buckets: Int
        let consoles: Int

        /// What each of so many runs on a page may take.
        init(sharedBy count: Int) {
            func part(_ whole: Int, least: Int) -> Int { max(least, whole / max(1, count)) }
            rows = part(400, least: 5)
            failures = part(40, least: 2)
            lanes = part(40, least: 2)
            strips = part(10, least: 1)
            buckets = count == 1 ? 200 : 40
            consoles = part(6, least: 1)
        }
    }

    /// The most runs of which a page tells more than the verdict.
    static let mostSections = 40

    private struct Content {
        let head: String
        let style = PageStyle.text
        let sentences: [Sentence]
        let hasSentences: Bool
        let sections: [PageSection]
    }

    /// The verdict of one of several runs.
    private struct Sentence {
        let link: String
        let linkMark: String
        let linkText: String
    }

    private let head: String
    private let sections: [PageSection]

    init(head: String, _ sections: [PageSection]) {
        self.head = head
        self.sections = sections.enumerated().map { index, section in
            var section = section
            section.anchor = "part-\(index + 1)"
            return section
        }
    }

    /// Runs of scenarios.
    public init(_ runs: [RunHistory]) {
        let measure = Measure(sharedBy: runs.count)
        self.init(
            head: runs.first.map { runs.count == 1 ? PageText.line($0.report.title) : "\(runs.count) runs" }
                ?? "no run",
            // Those that did not pass first: of very many no more than a sentence is shown of the last ones.
            (runs.filter { $0.report.outcome != .passed } + runs.filter { $0.report.outcome == .passed }).map {
                RunSection($0, measure).section
            }
        )
    }

    /// The page.
    ///
    /// - Throws: what the template's parser throws, which for this template is nothing.
    public func html() throws -> String {
        let sentences = sections.map {
            Sentence(link: $0.anchor, linkMark: $0.mark, linkText: "\($0.title): \($0.sentence)")
        }
        let content = Content(
            head: head,
            sentences: Array(sentences.prefix(500)),
            hasSentences: sections.count > 1,
            sections: Array(sections.prefix(Self.mostSections))
        )
        return try MustacheTemplate(string: PageTemplate.text).render(content)
    }
}
