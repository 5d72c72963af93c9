import Foundation
import KilnOutside

extension Check {
    /// Every verb on volumes, with the content looked at after each.
    static let volumes = Check(
        name: "volumes",
        about: "snapshot, clone, check, grow, export, import, restore, delete, undelete, purge",
        accounts: [.root, .person]
    ) { account in
        try account.needTiny()
        try Lab.with("volumes", account) { lab in
            try lab.shell("echo one >/data/note; sync /data/note")
            try lab.kiln("volume", "snapshot", lab.data, "first")
            try lab.shell("echo two >/data/note; sync /data/note")
            try lab.kiln("volume", "clone", lab.data, "copy")
            try lab.kiln("volume", "check", "volumes/copy")
            try lab.kiln("stop", lab.web)
            try lab.returnToFirst()
            try lab.exportAndImport(to: account.scratch)
            try lab.kiln("volume", "grow", lab.data, "96MiB")
            try lab.kiln("volume", "check", lab.data)
            try lab.kiln("start", lab.web)
            try lab.insistOnNote("one")
            let kibibytes = Int(try lab.shell("df -Pk /data | tail -n 1 | awk '{ print $2 }'")) ?? 0
            guard kibibytes > 72 << 10 else {
                throw Failure("the grown file system has \(kibibytes) KiB, expected 80,000 or so")
            }
            try lab.deleteAndReturn()
        }
    }
}

extension Lab {
    fileprivate func insistOnNote(_ text: String) throws {
        let found = try shell("cat /data/note")
        guard found == text else { throw Failure("the volume should hold '\(text)', found '\(found)'") }
    }

    fileprivate func returnToFirst() throws {
        try kiln("volume", "restore", data, "first")
        let shown = try kiln("volume", "list", "--retained")
        guard shown.contains("volumes.data.") else { throw Failure("the state before is not set aside: \(shown)") }
    }

    fileprivate func exportAndImport(to folder: String) throws {
        for format in ["raw", "qcow2"] {
            let file = "\(folder)/volume.\(format)"
            try kiln("volume", "export", data, file, "--as", format)
            try kiln("volume", "import", file, "volumes/from-\(format)")
            try kiln("volume", "check", "volumes/from-\(format)")
        }
    }

    fileprivate func deleteAndReturn() throws {
        struct Deletion: Decodable {
            let kept: String
            enum CodingKeys: String, CodingKey { case kept = "retained_as" }
        }
        let kept = try account.json(Deletion.self, "volume", "delete", "volumes/copy", "--yes").kept
        try kiln("volume", "undelete", kept, "volumes/again")
        try kiln("volume", "check", "volumes/again")
        let once = try account.json(Deletion.self, "volume", "delete", "volumes/again", "--yes").kept
        try kiln("volume", "purge", once, "--yes")
    }
}

extension Account {
    /// Removes every volume for good; no machine may have one.
    func removeVolumes() throws {
        struct List: Decodable {
            struct Volume: Decodable { let lab: String, name: String }
            let volumes: [Volume]
            let retained: [String]
        }
        for volume in try json(List.self, "volume", "list").volumes {
            try insist("volume", "delete", "\(volume.lab)/\(volume.name)", "--yes")
        }
        for kept in try json(List.self, "volume", "list").retained { try insist("volume", "purge", kept, "--yes") }
    }
}
