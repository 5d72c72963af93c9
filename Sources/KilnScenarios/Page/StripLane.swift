import KilnModel

/// What users of a server saw, as a row: answered thin, held half, failed striped; a shade for each version.
struct StripLane {
    private struct Run: Equatable {
        var bucket: AvailabilityStrip.Bucket
        let start: Int
        var end: Int
    }

    private let strip: AvailabilityStrip
    private let axis: PageAxis
    private let most: Int

    init(_ strip: AvailabilityStrip, _ axis: PageAxis, most: Int) {
        self.strip = strip
        self.axis = axis
        self.most = max(most, 1)
    }

    var lane: PageLane {
        var lane = PageLane("\(strip.server)", "what users saw")
        let runs = runs
        let versions = runs.compactMap(\.bucket.version).reduce(into: [String]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        lane.bars = runs.map { bar($0, versions) }
        let all = strip.buckets
        let (answered, held, failed) = (
            all.reduce(0) { $0 + $1.answered }, all.reduce(0) { $0 + $1.held }, all.reduce(0) { $0 + $1.failed }
        )
        lane.words =
            ["answered \(answered)", "held \(held)", "failed \(failed)"]
            + versions.prefix(8).map { "version \(PageText.line($0, 64))" }
        return lane
    }

    /// Stretches that look the same become one bar.
    private var runs: [Run] {
        let every = (strip.buckets.count + most - 1) / most
        var runs: [Run] = []
        for index in stride(from: 0, to: strip.buckets.count, by: max(1, every)) {
            let part = strip.buckets[index..<min(index + every, strip.buckets.count)]
            let sum = part.reduce(AvailabilityStrip.Bucket()) { $0 + $1 }
            let start = strip.startMS + index * strip.bucketMS
            let end = start + part.count * strip.bucketMS
            guard sum.answered + sum.held + sum.failed > 0 else { continue }
            if let last = runs.last, last.end == start, last.bucket.looksLike(sum) {
                runs[runs.count - 1].end = end
                runs[runs.count - 1].bucket = last.bucket + sum
            } else {
                runs.append(Run(bucket: sum, start: start, end: end))
            }
        }
        return runs
    }

    private func bar(_ run: Run, _ versions: [String]) -> PageLane.Bar {
        let bucket = run.bucket
        let shade = "v\((bucket.version.flatMap(versions.firstIndex) ?? 0) % 4)"
        let counts = "\(bucket.answered) answered, \(bucket.held) held, \(bucket.failed) failed"
        let version = bucket.version.map { ", version \(PageText.line($0, 64))" } ?? ""
        return axis.bar(
            run.start,
            run.end,
            bucket.failed > 0 ? "failed" : bucket.held > 0 ? "held" : shade,
            bucket.failed > 0 ? .full : bucket.held > 0 ? .half : .thin,
            tip: "\(ReportText.time(max(0, run.start))): \(counts)\(version)"
        )
    }
}

extension AvailabilityStrip.Bucket {
    fileprivate static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.answered += right.answered
        sum.held += right.held
        sum.failed += right.failed
        sum.version = right.version ?? left.version
        return sum
    }

    fileprivate func looksLike(_ other: Self) -> Bool {
        (failed > 0) == (other.failed > 0) && (held > 0) == (other.held > 0)
            && (other.version == nil || version == other.version)
    }
}
