import Foundation
import KilnEngine
import KilnModel

/// What a page tells of one run.
struct RunSection {
    let run: RunHistory
    let measure: ReportPage.Measure

    init(_ run: RunHistory, _ measure: ReportPage.Measure) {
        self.run = run
        self.measure = measure
    }

    private var report: ScenarioReport { run.report }

    /// All of it.
    var section: PageSection {
        let verdict = RunVerdict(run)
        var section = PageSection(
            title: PageText.line(report.title),
            subtitle: subtitle,
            sentence: verdict.sentence,
            tone: verdict.tone,
            tiles: verdict.tiles,
            listHead: "Steps"
        )
        section.pictures = RunPicture(run, measure).pictures
        section.blocks = blocks
        (section.rows, section.notes) = StepRows(report, measure).shown
        section.consoles = run.consoles.prefix(measure.consoles).map {
            PageSection.Console(
                machine: "\($0.server)\($0.generation.map { " generation \($0)" } ?? ""): its console's last lines",
                said: PageText.block($0.text, 4_000)
            )
        }
        section.notes += notes
        return section
    }

    private var subtitle: String {
        let began = run.began.map { $0.formatted(.iso8601) }
        return [began, "lab \(report.lab)", "kiln \(PageText.line(report.kiln, 40))"].compactMap(\.self).joined(
            separator: " · "
        )
    }

    private var notes: [String] {
        var notes: [String] = []
        if run.isCut {
            notes.append("more happened than is written down of a run; what is shown ends earlier than the run")
        }
        if let hint = report.error?.hint { notes.append("next: \(PageText.line(hint, 300))") }
        if let seed = report.seed { notes.append("seed \(seed)") }
        if let factor = report.timeoutScale, factor != 1 { notes.append("deadlines × \(TimeoutScale.words(factor))") }
        if let evidence = report.evidence { notes.append("evidence in \(PageText.line(evidence, 300))") }
        if let files = report.files { notes.append("files in \(PageText.line(files, 300))") }
        if report.isKept { notes.append("the lab \(report.lab) is kept; 'kiln down \(report.lab)' removes it") }
        return notes
    }
}

// MARK: - Data, availability and drift

extension RunSection {
    private var blocks: [PageSection.Block] { ledgers + banks + availability + drift + servers }

    private func block(_ head: String, _ lines: [String], isGood: Bool) -> PageSection.Block {
        let tone: PageSection.Tone = isGood ? .good : .bad
        return PageSection.Block(head: "\(tone.mark) \(head)", blockTone: tone.rawValue, lines: lines)
    }

    private var ledgers: [PageSection.Block] {
        report.ledgers.prefix(10).map { ledger in
            block("Ledger \(ledger.name)", [PageText.line(ledger.description, 600)], isGood: ledger.verdict.isClean)
        }
    }

    private var banks: [PageSection.Block] {
        report.banks.prefix(10).map { bank in
            block("Bank \(bank.name)", [PageText.line(bank.description, 600)], isGood: bank.isClean)
        }
    }

    private var availability: [PageSection.Block] {
        report.availability.prefix(measure.strips).map { found in
            let result = found.result
            let kinds = result.failures.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                "\($0.key.rawValue) \($0.value)"
            }
            let times = [
                ("half within", result.p50MS), ("99 of 100 within", result.p99MS), ("the slowest", result.slowestMS),
            ]
            .compactMap { word, time in time.map { "\(word) \(ReportText.time($0))" } }
            let versions = result.versions.prefix(5).map {
                "version \(PageText.line($0.version, 64)): \($0.answers) answers from \($0.fromMS) to \($0.toMS) ms"
            }
            let lines = [
                PageText.line(result.description, 300), kinds.joined(separator: ", "), times.joined(separator: ", "),
            ]
            let (head, said) = ("Availability of \(found.server)", (lines + versions).filter { !$0.isEmpty })
            // Requests that fail are no mistake by themselves: what was expected of them, steps say.
            guard result.failed == 0, result.inconclusive == nil else {
                return PageSection.Block(head: head, blockTone: PageSection.Tone.open.rawValue, lines: said)
            }
            return block(head, said, isGood: true)
        }
    }

    private var drift: [PageSection.Block] {
        run.drifts.prefix(5).map { drift in
            let found = drift.blind.map { PageText.line($0, 300) } ?? "\(drift.count) paths and packages differ"
            let named = drift.named.map { PageText.line($0, 200) }
            let more = drift.count > named.count ? ["and \(drift.count - named.count) more"] : []
            return block(
                "Drift of \(drift.server) generation \(drift.generation)",
                [found] + named + more,
                isGood: drift.count == 0 && drift.blind == nil
            )
        }
    }

    private var servers: [PageSection.Block] {
        guard !report.servers.isEmpty else { return [] }
        let lines = report.servers.prefix(20).map {
            "\($0.name): generation \($0.generation), \($0.image.name):\(PageText.line($0.image.version, 40)), \($0.image.digest)"
        }
        return [PageSection.Block(head: "Servers at the end", blockTone: "open", lines: lines)]
    }
}
