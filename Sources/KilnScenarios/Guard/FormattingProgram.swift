/// The programs that write a new file system, label or signature, or over a whole device.
enum FormattingProgram {
    /// Whether a text that says this word may mean such a program.
    static func isName(_ word: some StringProtocol) -> Bool {
        word == "mkfs" || word.hasPrefix("mkfs.") || formatters.contains(String(word)) || words[String(word)] != nil
            || viewers[String(word)] != nil
    }

    /// The first word of the text that is the name of one.
    static func mentioned(in text: String) -> String? {
        text.split { !($0.isLetter || $0.isNumber || "._-".contains($0)) }.first(where: isName).map(String.init)
    }

    /// What `name` with these arguments writes on; nothing where it is another program, or only looks.
    static func targets(_ name: String, _ arguments: [ShellArgument]) -> [ShellArgument]? {
        switch name {
        case "dd":
            return arguments.compactMap { $0.removing("of=") }
        case "tee":
            return arguments
        case "cp":
            return arguments.suffix(1)
        case "btrfs", "bcachefs":
            return takesDevice(name, arguments) ? arguments : nil
        case "mke2fs", "mkfs.ext2", "mkfs.ext3", "mkfs.ext4":
            return arguments.contains { $0.known == "-n" } ? nil : arguments
        case "mkfs",
            _ where name.hasPrefix("mkfs.") || formatters.contains(name):
            return arguments
        default:
            return writes(name, arguments) ? arguments : nil
        }
    }

    private static func writes(_ name: String, _ arguments: [ShellArgument]) -> Bool {
        if let words = words[name] {
            return arguments.contains { argument in
                argument.values.contains { value in words.contains { value.text.hasPrefix($0) } }
            }
        }
        guard let viewers = viewers[name] else { return false }
        let options = arguments.filter(\.isOption)
        let onlyLooks = options.contains { $0.known.map(viewers.contains) ?? false }
        return !(onlyLooks && options.allSatisfy { $0.known.map(viewers.contains) ?? false })
    }

    /// Whether a tool of a file system makes one, or takes a device into one; it takes its words shortened.
    private static func takesDevice(_ name: String, _ arguments: [ShellArgument]) -> Bool {
        let words = arguments.filter { !$0.isOption }.prefix(2).map { $0.known ?? "" }
        guard let first = words.first, !first.isEmpty else { return false }
        if name == "bcachefs", first == "format" { return true }
        guard words.count == 2, !words[1].isEmpty else { return false }
        if "device".hasPrefix(first) { return "add".hasPrefix(words[1]) }
        return first.count > 2 && "replace".hasPrefix(first) && "start".hasPrefix(words[1])
    }

    /// Programs that are judged as well, but whose name in a text means nothing.
    static let others: Set = ["dd", "tee", "cp", "btrfs", "bcachefs"]

    private static let formatters: Set = [
        "mke2fs", "mkswap", "mkdosfs", "mkntfs", "mkexfatfs", "mkreiserfs", "mkudffs", "blkdiscard", "shred",
        "pvcreate",
        "vgcreate", "make-bcache", "nwipe",
    ]

    /// Programs that write with one of these words only, or with one that begins so.
    private static let words: [String: [String]] = [
        "wipefs": ["-a", "-o", "-f", "-q", "--all", "--offset", "--force"],
        "parted": ["mklabel", "mktable", "mkpart", "rm"],
        "cryptsetup": ["luksFormat", "luksErase", "erase", "reencrypt"],
        "mdadm": ["-C", "--create", "--zero-superblock"],
        "zpool": ["create", "add", "labelclear"],
        "nvme": ["format", "sanitize"],
        "hdparm": ["--security-erase", "--trim-sector-ranges"],
        "badblocks": ["-w", "-sw", "-ws", "-wsv", "-svw"],
    ]

    /// Programs that write unless all their options are among these.
    private static let viewers: [String: Set<String>] = [
        "sgdisk": ["-p", "--print", "-i", "--info", "-v", "--verify", "-O", "-P", "--pretend", "-h", "--help"],
        "sfdisk": [
            "-l", "--list", "-d", "--dump", "-J", "--json", "-V", "--verify", "-s", "-h", "--help", "--version",
        ],
        "fdisk": ["-l", "--list", "-x", "--list-details", "-s", "-h", "--help", "--version"],
        "gdisk": ["-l"],
        "cfdisk": ["-h", "--help"],
    ]
}
