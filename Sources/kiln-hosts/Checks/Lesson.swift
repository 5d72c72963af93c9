import KilnOutside

extension Check {
    /// A trainee begins with what is installed, which is root's.
    static let lesson = Check(
        name: "lesson",
        about:
            "'kiln learn': the first task of the first lesson is not done, is solved, is done; the lesson is given up",
        accounts: [.root, .person]
    ) { account in
        try account.needTiny()
        try account.insist("learn", "start", Visit.Inner.scenarios + "/lessons/first-replacement")
        try account.insist("learn", "check", status: 1)
        try account.insist("learn", "solve")
        try account.insist("learn", "check")
        try account.insist("learn", "reset")
    }
}
