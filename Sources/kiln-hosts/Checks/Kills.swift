import KilnOutside

extension Check {
    /// `kill -9` of kiln in the middle of a replacement, once on each side of HANDOVER, for both strategies.
    static let kills = [
        kill(at: "stop.after", "stop-first"), kill(at: "handover.after", "stop-first", quick: [.root]),
        kill(at: "warm.after", "warm-first"), kill(at: "attach.after", "warm-first"),
    ]

    private static func kill(at point: String, _ strategy: String, quick: Set<Account.Kind> = []) -> Check {
        Check(
            name: "kill \(point)",
            about:
                "kill -9 there, \(strategy); after 'recover' one machine serves, and every acknowledged write is there",
            accounts: [.root, .person],
            quick: quick
        ) { account in
            try account.needTiny()
            let name = "kill-" + point.replacing(".", with: "-")
            try Lab.with(name, account, fields: "strategy: \(strategy)") { lab in
                let writer = try Writer(lab)
                defer { writer.end() }
                try writer.await(3)
                try lab.kill(at: point, "replace", lab.web, "--image", "tiny:2")
                try lab.kiln("recover", lab.web)
                try lab.kiln("wait", lab.web)
                try writer.await(1)
                let acknowledged = writer.end()
                try lab.insistOnOneServing()
                try Writer.insist(on: acknowledged, in: try lab.shell("cat /data/kept/numbers"))
            }
        }
    }
}
