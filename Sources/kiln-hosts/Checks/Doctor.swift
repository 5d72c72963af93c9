import KilnOutside

extension Check {
    /// The doctor finds a host on which kiln works.
    static let doctor = Check(
        name: "doctor",
        about: "nothing that kiln needs is missing",
        accounts: [.root, .person],
        quick: [.root]
    ) { account in
        try account.insist("doctor")
    }
}
