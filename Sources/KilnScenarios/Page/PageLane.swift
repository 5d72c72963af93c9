/// One row of a picture: bars on the axis of time that all rows share, and the same in words.
struct PageLane: Sendable {
    /// A bar; its place and size are in thousandths of the axis, and in parts of 30 of the row's height.
    struct Bar: Sendable {
        let x: String
        let y: String
        let wide: String
        let high: String
        let shade: String
        let tip: String
    }

    /// A line from point to point.
    struct Curve: Sendable {
        let points: String
    }

    /// What the row is of.
    let label: String
    /// More of it in a few words.
    let remark: String
    var bars: [Bar] = []
    var curves: [Curve] = []
    /// What the bars say, for those who can't see them.
    var words: [String] = []

    init(_ label: String, _ remark: String = "") {
        self.label = label
        self.remark = remark
    }
}

/// An axis of time from 0 to an end, which pictures are drawn along.
struct PageAxis: Sendable {
    /// How the height of a bar tells what it is of, whatever its colour.
    enum Height {
        /// All of the row.
        case full
        /// Its lower half.
        case half
        /// A thin line at its foot.
        case thin
    }

    /// Its end, in milliseconds.
    let end: Int

    /// Ends where the last of these times is.
    init(_ times: [Int]) { end = max(1, times.max() ?? 1) }

    /// The time at each quarter.
    var ticks: [String] { (0...4).map { ReportText.time(end * $0 / 4) } }

    /// A bar from one time to another, wide enough to be seen.
    func bar(_ from: Int, _ to: Int, _ shade: String, _ height: Height, tip: String) -> PageLane.Bar {
        let start = min(place(from), 998)
        let (y, high) =
            switch height {
            case .full: ("2", "26")
            case .half: ("14", "14")
            case .thin: ("23", "5")
            }
        let wide = max(place(to) - start, 2)
        return PageLane.Bar(
            x: PageAxis.number(start),
            y: y,
            wide: PageAxis.number(min(wide, 1000 - start)),
            high: high,
            shade: shade,
            tip: tip
        )
    }

    /// A line through counts at times, which begins at nothing.
    func curve(_ points: [(ms: Int, total: Int)], most: Int = 200) -> PageLane.Curve {
        let every = max(1, (points.count + most - 1) / most)
        let shown = points.enumerated().filter { $0.offset % every == 0 || $0.offset == points.count - 1 }.map(
            \.element
        )
        let top = Double(max(1, points.map(\.total).max() ?? 1))
        let text = shown.map { "\(PageAxis.number(place($0.ms))),\(PageAxis.number(28 - 26 * Double($0.total) / top))" }
        return PageLane.Curve(points: text.joined(separator: " "))
    }

    private func place(_ ms: Int) -> Double { Double(min(max(ms, 0), end)) * 1000 / Double(end) }

    private static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
