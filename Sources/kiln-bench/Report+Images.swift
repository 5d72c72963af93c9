extension Report {
    /// What bakes and tests of images take.
    var imageLines: [String] { bakingLines + testingLines }

    private var bakingLines: [String] {
        guard let baking else { return [] }
        return [
            "bakes of \(baking.image), N = \(baking.cold.count), in turn",
            "  nothing to reuse   \(seconds(baking.cold))",
            "  mmdebstrap alone   \(seconds(baking.mmdebstrap))",
            "  one changed step   \(seconds(baking.changedStep))",
            "  baked already      \(seconds(baking.unchanged))",
            "  aim       nothing to reuse / mmdebstrap alone <= \(number(Baking.largestRatio, 2)): "
                + "\(number(baking.ratio, 2)), \(met(baking.ratio <= Baking.largestRatio))",
            "  aim       baked already < \(number(Baking.longestUnchanged, 0)) s: "
                + met(baking.unchanged.median < Baking.longestUnchanged),
            "",
        ]
    }

    private var testingLines: [String] {
        guard let testing else { return [] }
        return [
            "tests of \(testing.image), N = \(testing.test.count), in turn",
            "  kiln image test    \(seconds(testing.test))",
            "  one boot, kiln up  \(seconds(testing.boot))",
            "  aim       test / boot <= \(number(ImageTesting.largestRatio, 0)): "
                + "\(number(testing.ratio, 2)), \(met(testing.ratio <= ImageTesting.largestRatio))",
            "",
        ]
    }
}
