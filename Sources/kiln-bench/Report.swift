import Foundation

/// The samples of kiln and raw QEMU with one image, in the order in which they were taken.
struct Comparison: Sendable, Codable {
    let image: String
    var kiln: [Sample] = []
    var raw: [Sample] = []
}

/// `kiln ps`, in milliseconds.
struct Listing: Sendable, Codable {
    /// With the daemon running and one machine on.
    let warm: Summary
    /// With no daemon running and no machine on.
    let cold: Summary
}

/// Everything that one run found.
struct Report: Sendable, Codable {
    let host: Host
    /// The first `kiln up` of a new home, in seconds.
    let firstUp: Double
    let firstImage: String
    let comparisons: [Comparison]
    let listing: Listing?
    let replacements: [ReplacementComparison]
    let copies: [VolumeCopying]?
    let baking: Baking?
    let testing: ImageTesting?
    let running: Running?
    let crowd: Crowd?
    let rollouts: RolloutComparison?
    let etcd: [EtcdSample]?
    let scaling: Scaling?
    let launching: Launching?
    let front: FrontCost?
    let holding: Holding?
    let autoscaling: [Autoscaling]?
    let flashing: [Flashing]?

    /// The verdict about one comparison.
    struct Verdict: Sendable, Codable {
        let image: String
        let kiln: Summary
        let raw: Summary
        let kilnOverhead: Summary
        let rawOverhead: Summary
        let kilnHost: Summary
        let rawHost: Summary
        /// The medians of kiln's journaled steps that took at least 10 ms, in milliseconds.
        let steps: [String: Double]

        var ratio: Double { kiln.median / raw.median }
        var difference: Double { kiln.median - raw.median }
        var overheadDifference: Double { kilnOverhead.median - rawOverhead.median }
        var hostDifference: Double { kilnHost.median - rawHost.median }
        /// At most 1.05 times as long, or half a second longer where that is more.
        var isMet: Bool { difference <= max(0.5, 0.05 * raw.median) }
        /// The same by the host's work alone.
        var isMetByHost: Bool { hostDifference <= max(0.5, 0.05 * raw.median) }

        init?(_ comparison: Comparison) {
            guard let kiln = Summary(comparison.kiln.map(\.wall)), let raw = Summary(comparison.raw.map(\.wall)),
                let kilnOverhead = Summary(comparison.kiln.map(\.overhead)),
                let rawOverhead = Summary(comparison.raw.map(\.overhead)),
                let kilnHost = Summary(comparison.kiln.map(\.host)), let rawHost = Summary(comparison.raw.map(\.host))
            else { return nil }
            image = comparison.image
            (self.kiln, self.raw) = (kiln, raw)
            (self.kilnOverhead, self.rawOverhead) = (kilnOverhead, rawOverhead)
            (self.kilnHost, self.rawHost) = (kilnHost, rawHost)
            let names = Set(comparison.kiln.flatMap(\.steps.keys))
            steps = names.reduce(into: [:]) { steps, name in
                steps[name] = Summary(comparison.kiln.compactMap { $0.steps[name].map(Double.init) })?.median
            }
            .filter { $0.value >= 10 }
        }
    }

    var verdicts: [Verdict] { comparisons.compactMap { Verdict($0) } }

    /// Whether `kiln ps` takes at most 100 ms.
    var isListingMet: Bool? { listing.map { $0.warm.median <= 100 } }
}

/// Where it was measured.
struct Host: Sendable, Codable {
    let cores: Int
    let accelerator: String
    let processorModel: String
    let qemu: String
    /// The average number of runnable processes in the minute before, and in the last minute of the run.
    let loadBefore: Double
    let loadAfter: Double

    init(processor: RawMachine.Processor, loadBefore: Double) async throws {
        cores = ProcessInfo.processInfo.activeProcessorCount
        accelerator = processor.accelerator
        processorModel = processor.model
        let directory = try FileManager.default.url(
            for: .itemReplacementDirectory,
            in: .userDomainMask,
            appropriateFor: FileManager.default.temporaryDirectory,
            create: true
        )
        defer { try? FileManager.default.removeItem(at: directory) }
        let text = try await Program(try Program.find("qemu-system-x86_64"), directory: directory.path)
            .run(["--version"], within: .seconds(20)).output
        qemu = text.split(separator: "\n").first.map(String.init) ?? ""
        self.loadBefore = loadBefore
        loadAfter = Host.load
    }

    static var load: Double {
        var averages = [0.0]
        return getloadavg(&averages, 1) == 1 ? averages[0] : 0
    }
}
