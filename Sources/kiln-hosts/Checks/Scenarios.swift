import KilnOutside

extension Check {
    /// The scenarios that come with kiln, which judge themselves.
    static let scenarios = [
        scenario(
            "stop-first",
            "replace-keeps-data",
            "a replacement under load; no acknowledged record is lost",
            quick: [.root]
        ),
        scenario("warm-first", "warm-first", "the successor boots first, and gets the volume by hot-plug"),
        scenario("revert", "bad-image-reverts", "an image that breaks its promise is taken back"),
        scenario("rehearsal", "rehearsal", "it is found out on clones, before the server is touched"),
        scenario("clones", "herd", "eight machines are cloned from one template, and each is itself"),
    ]

    private static func scenario(
        _ name: String,
        _ file: String,
        _ about: String,
        quick: Set<Account.Kind> = []
    ) -> Check {
        Check(name: name, about: about, accounts: [.root, .person], quick: quick) { account in
            try account.needTiny()
            try account.insist("run", "\(Visit.Inner.scenarios)/\(file).yaml")
        }
    }
}
