import Foundation
import KilnOutside

extension Check {
    /// The package comes into a Debian that has nothing of what kiln needs.
    static let install = Check(
        name: "install",
        about:
            "apt installs the package without what is only recommended; user, manual, profile and completions are there",
        isOfPackage: true
    ) { account in
        let actions = Visit.Inner.checkout + "/.github/actions/setup-kiln"
        try account.succeed([actions + "/archives.sh", ""])
        try account.succeed([actions + "/host.sh"])
        try account.succeed([actions + "/install.sh", Visit.Inner.package], within: .seconds(600))
        let size = try account.succeed(["stat", "-c", "%s", Visit.Inner.package]).trimmingCharacters(in: .newlines)
        guard Int(size) ?? .max <= 20_000_000 else {
            throw Failure("the package has \(size) bytes, expected 20 MB at most")
        }
        let version = try account.succeed(["dpkg-query", "-W", "-f", "${Version}", "kiln"])
        guard try account.insist("--version") == version + "\n" else {
            throw Failure("'kiln --version' should be that of the package, \(version)")
        }
        try account.succeed(["dpkg", "--verify", "kiln"])
        try account.succeed(["man", "-w", "kiln", "kiln.yaml", "kiln-image", "kiln-scenario"])
        try account.insistOnUser()
        try account.insistOnProfile()
        try account.insistOnCompletions()
    }

    /// What a stranger does first.
    static let demo = Check(
        name: "demo",
        about: "'kiln demo' bakes what it needs and loses nothing, with what is installed only",
        accounts: [.root, .person],
        isOfPackage: true
    ) { account in
        let end = try account.kiln(["demo"], within: .seconds(900))
        guard end.status == 0, end.output.contains(", lost 0, torn 0, duplicated 0\n") else {
            throw Failure("the demo ended with \(end.status): \((end.output + end.errors).suffix(1500))")
        }
    }

    /// What CI runs beside the installation.
    static let actions = Check(
        name: "actions",
        about:
            "the shell steps of the composite actions: the key of the cache, bakes, a scenario that passes and one that fails",
        isOfPackage: true
    ) { account in
        let (setup, run) = ("setup-kiln", "run-scenario/run.sh")
        let first = try account.action("\(setup)/cache.sh", Visit.Inner.recipes, "tiny")
        guard first["path"] == account.home + "/images",
            first == (try account.action("\(setup)/cache.sh", Visit.Inner.recipes, "tiny"))
        else { throw Failure("the cache is named \(first)") }
        _ = try account.action("\(setup)/bake.sh", Visit.Inner.recipes, "tiny")
        let passed = try account.action(run, Visit.Inner.scenarios + "/replace-keeps-data.yaml")
        let report = try String(contentsOfFile: passed["report"] ?? "", encoding: .utf8)
        guard passed["status"] == "0", report.contains(#""lost" : 0"#) else {
            throw Failure("the report says: \(report)")
        }
        let broken = "\(account.scratch)/broken.yaml"
        try Data("kiln: 1\n".utf8).write(to: URL(fileURLWithPath: broken))
        let failed = try account.action(run, broken, status: 65)
        guard failed["status"] == "65" else { throw Failure("a scenario that is none gives \(failed)") }
    }

    /// The same package once more, as an upgrade does it.
    static let upgrade = Check(
        name: "upgrade",
        about: "the package is put in again while a lab is up; machine and daemon go on, and are kiln's",
        isOfPackage: true
    ) { account in
        try account.needTiny()
        try Lab.with("upgrade", account) { lab in
            let before = Set(account.processes.map(\.pid))
            try account.succeed(["apt-get", "-q", "install", "-y", "--reinstall", Visit.Inner.package])
            guard !before.isEmpty, before.isSubset(of: account.processes.map(\.pid)) else {
                throw Failure("of the processes \(before.sorted()) some have ended")
            }
            try lab.insistOnOneServing()
            try lab.kiln("replace", lab.web, "--image", "tiny:2")
            try lab.insistOnOneServing()
        }
    }

    /// The package goes for good.
    static let purge = Check(
        name: "purge",
        about: "apt purge leaves volumes, root's and a user's, and says where",
        // The last account, when nobody needs kiln any more.
        accounts: [.person],
        isOfPackage: true
    ) { person in
        let root = try Account(.root)
        var volumes: [String] = []
        for account in [root, person] {
            let volume = "\(account.home)/volumes/shop/data"
            try account.succeed(["sh", "-c", #"mkdir -p "$1" && echo precious >"$1/layer""#, "make", volume])
            volumes.append(volume)
        }
        let said = try root.succeed(["apt-get", "-q", "purge", "-y", "kiln"])
        for volume in volumes {
            guard said.contains(volume), access(volume + "/layer", F_OK) == 0 else {
                throw Failure("\(volume) should be there and be named: \(said)")
            }
        }
        for path in [Visit.Inner.kiln, "/etc/apparmor.d/kiln", "/usr/share/kiln"] where access(path, F_OK) == 0 {
            throw Failure("\(path) is left")
        }
    }
}

extension Account {
    /// The processes that kiln keeps for this account: machines, daemons and those who look after them.
    fileprivate var processes: [Processes.Process] { Processes.below(home) }

    /// Runs a program that has to succeed; returns what it prints.
    @discardableResult
    fileprivate func succeed(_ line: [String], within limit: Duration = .seconds(300)) throws -> String {
        let end = try run(["env", "DEBIAN_FRONTEND=noninteractive"] + line, within: limit)
        guard end.status == 0 else {
            throw Failure(
                "'\(line.joined(separator: " "))' ended with \(end.status): \((end.output + end.errors).suffix(1500))"
            )
        }
        return end.output
    }

    /// Runs a shell step of an action, which has to end with a status; returns what it tells the steps after it.
    fileprivate func action(_ step: String, _ arguments: String..., status: Int32 = 0) throws -> [String: String] {
        let output = "\(scratch)/output"
        unlink(output)
        let variables = ["GITHUB_OUTPUT=\(output)", "GITHUB_STEP_SUMMARY=\(scratch)/summary", "RUNNER_TEMP=\(scratch)"]
        let program = "\(Visit.Inner.checkout)/.github/actions/\(step)"
        let end = try run(["env"] + variables + [program] + arguments, within: .seconds(600))
        guard end.status == status else {
            throw Failure("\(step) ended with \(end.status), expected \(status): \(end.errors)")
        }
        let lines = ((try? String(contentsOfFile: output, encoding: .utf8)) ?? "").split(separator: "\n")
        let pairs = lines.map { $0.split(separator: "=", maxSplits: 1).map(String.init) }.filter { $0.count == 2 }
        return Dictionary(pairs.map { ($0[0], $0[1]) }) { $1 }
    }

    fileprivate func insistOnUser() throws {
        let user = try succeed(["getent", "passwd", "kiln"]).split(separator: ":", omittingEmptySubsequences: false)
        let groups = try succeed(["id", "-nG", "kiln"]).split(whereSeparator: \.isWhitespace)
        guard user.count == 7, user[5] == "/var/lib/kiln", groups.contains("kvm") else {
            throw Failure(
                "the user kiln should live in /var/lib/kiln and be in the group kvm, found \(user) in \(groups)"
            )
        }
        let folder = try succeed(["stat", "-c", "%U %a", "/var/lib/kiln"])
        guard folder == "root 755\n" else {
            throw Failure("/var/lib/kiln should be root's, with mode 755; it is \(folder)")
        }
    }

    /// That the profile is in place exactly where the parser knows it.
    fileprivate func insistOnProfile() throws {
        let isKnown = try run(["apparmor_parser", "-QKS", "/usr/share/kiln/apparmor"]).status == 0
        let version = try succeed(["dpkg-query", "-W", "-f", "${Version}", "apparmor"])
        guard isKnown == (version.first.flatMap { Int(String($0)) } ?? 0 >= 4) else {
            throw Failure("AppArmor \(version) should accept the profile from version 4 on")
        }
        guard isKnown == (access("/etc/apparmor.d/kiln", F_OK) == 0) else {
            throw Failure("the profile should be in place with AppArmor 4 and later only; this is \(version)")
        }
    }

    /// That bash completes names of a home, also behind a colon, and that nothing is started for it.
    fileprivate func insistOnCompletions() throws {
        let home = scratch + "/fixture"
        try succeed(["mkdir", "-p", "\(home)/labs/hello/servers/web", "\(home)/images/names/tiny"])
        try succeed(["touch", "\(home)/images/names/tiny/1", "\(home)/images/names/tiny/2"])
        let script = #"""
            export KILN_HOME=$1
            . /usr/share/bash-completion/bash_completion
            . /usr/share/bash-completion/completions/kiln
            # As readline does: what is typed, and its words, of which a colon is one.
            COMP_LINE=$2 COMP_POINT=${#2}
            read -ra COMP_WORDS <<<"${2//:/ : }"
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _kiln_with_colons kiln "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            echo "${COMPREPLY[@]}"
            """#
        let wanted = [
            "kiln replace we": "web", "kiln image verify ti": "tiny:1 tiny:2", "kiln replace web --image tiny:2": "2",
        ]
        for (line, answer) in wanted {
            let found = try succeed(["bash", "-c", script, "complete", home, line])
            guard found == answer + "\n" else {
                throw Failure("'\(line)' should be completed by \(answer), found \(found)")
            }
        }
        let made = try FileManager.default.contentsOfDirectory(atPath: home).sorted()
        guard made == ["images", "labs"] else { throw Failure("completing has made \(made)") }
    }
}
