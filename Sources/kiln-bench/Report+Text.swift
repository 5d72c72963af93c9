import Foundation

extension Report {
    /// The report for people.
    var text: String {
        let comparisons = verdicts.flatMap { verdict in
            [
                "time to agent-ready, \(verdict.image), N = \(verdict.kiln.count) + \(verdict.raw.count), in turn",
                "  wall      kiln \(seconds(verdict.kiln))   raw QEMU \(seconds(verdict.raw))",
                "            ratio \(number(verdict.ratio, 3))   difference \(signed(verdict.difference)) s",
                "  overhead  kiln \(seconds(verdict.kilnOverhead))   raw QEMU \(seconds(verdict.rawOverhead))",
                "            difference \(signed(verdict.overheadDifference)) s",
                "  host      kiln \(seconds(verdict.kilnHost))   raw QEMU \(seconds(verdict.rawHost))",
                "            difference \(signed(verdict.hostDifference)) s",
                "  aim       ratio <= 1.05, or difference <= 0.5 s where that is more: \(met(verdict.isMet)) by wall time, "
                    + "\(met(verdict.isMetByHost)) by the host's work",
                "  kiln's steps, ms: \(steps(verdict))",
                "",
            ]
        }
        let lines = listingLines + replacementLines + copyLines + imageLines + scenarioLines + memberLines + hostLines
        return (comparisons + lines).joined(separator: "\n")
    }

    private var listingLines: [String] {
        guard let listing, let isListingMet else { return [] }
        return [
            "kiln ps, one machine on, N = \(listing.warm.count)",
            "  daemon running   \(milliseconds(listing.warm))",
            "  daemon to start  \(milliseconds(listing.cold)), N = \(listing.cold.count)",
            "  aim       median <= 100 ms with the daemon running: \(met(isListingMet))",
            "",
        ]
    }

    private var hostLines: [String] {
        [
            "first kiln up in a new home (starts the daemon, probes QEMU), \(firstImage): \(number(firstUp, 2)) s",
            "host: \(host.cores) cores, \(host.accelerator), \(host.processorModel), \(host.qemu); "
                + "load \(number(host.loadBefore, 1)) before, \(number(host.loadAfter, 1)) after",
            "Figures are medians (least-greatest). Wall time ends with 'kiln up' itself or with raw QEMU's first agent",
            "answer; both make overlay and seed within it. Overhead is wall time minus what the guest took from its",
            "kernel's start to its agent's start by its own clock. Host is what was not waiting for the guest: all but the",
            "step HEALTHY, or all until raw QEMU runs. Where other work slows the machine down, wall time varies most.",
            "",
        ]
    }

    private func steps(_ verdict: Verdict) -> String {
        verdict.steps.sorted { $0.value > $1.value }.map { "\($0.key) \(number($0.value, 0))" }.joined(separator: ", ")
    }

    func met(_ isMet: Bool) -> String { isMet ? "met" : "NOT met" }

    func seconds(_ summary: Summary) -> String {
        "\(number(summary.median, 2)) s (\(number(summary.least, 2))-\(number(summary.greatest, 2)))"
    }

    func milliseconds(_ summary: Summary) -> String {
        "\(number(summary.median, 0)) ms (\(number(summary.least, 0))-\(number(summary.greatest, 0)))"
    }

    private func signed(_ value: Double) -> String { (value < 0 ? "" : "+") + number(value, 2) }

    func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

    /// The report for programs: every sample, and what follows from them.
    var json: String {
        get throws {
            struct Document: Encodable {
                let report: Report
                let verdicts: [VerdictFigures]
                let listingIsMet: Bool?
            }
            struct VerdictFigures: Encodable {
                let figures: Verdict
                let ratio: Double
                let difference: Double
                let overheadDifference: Double
                let hostDifference: Double
                let isMet: Bool
                let isMetByHost: Bool
            }
            let figures = verdicts.map {
                VerdictFigures(
                    figures: $0,
                    ratio: $0.ratio,
                    difference: $0.difference,
                    overheadDifference: $0.overheadDifference,
                    hostDifference: $0.hostDifference,
                    isMet: $0.isMet,
                    isMetByHost: $0.isMetByHost
                )
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            encoder.keyEncodingStrategy = .convertToSnakeCase
            let document = Document(report: self, verdicts: figures, listingIsMet: isListingMet)
            return String(decoding: try encoder.encode(document), as: UTF8.self) + "\n"
        }
    }
}
