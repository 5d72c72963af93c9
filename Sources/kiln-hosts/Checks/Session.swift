import KilnOutside

extension Check {
    /// The daemon that a user's libvirt starts by itself.
    static let session = Check(
        name: "session",
        about: "a plain user's machine on qemu:///session, replaced",
        accounts: [.person],
        quick: [.person]
    ) { account in
        try account.needTiny()
        try Lab.with("session", account, options: ["--connect", "qemu:///session"]) { lab in
            try lab.shell("echo kept >/data/note; sync /data/note")
            try lab.kiln("replace", lab.web, "--image", "tiny:2")
            try lab.insistOnOneServing()
            guard try lab.shell("cat /data/note") == "kept" else { throw Failure("the note on the volume is gone") }
        }
    }
}
