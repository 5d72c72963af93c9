import KilnOutside

extension Check {
    /// What somebody changed on a root is found from outside.
    static let drift = Check(
        name: "drift",
        about: "none after a boot; a changed file is found by name",
        accounts: [.root, .person]
    ) { account in
        try account.needTiny()
        try Lab.with("drift", account) { lab in
            try lab.kiln("drift", lab.web)
            try lab.shell("echo intruder >/usr/bin/intruder; sync")
            let found = try lab.kiln("drift", lab.web, status: 1)
            guard found.contains("/usr/bin/intruder") else { throw Failure("drift does not name the file: \(found)") }
        }
    }
}
