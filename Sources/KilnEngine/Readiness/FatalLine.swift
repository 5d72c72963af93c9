/// What tells on a console that a guest is not to be kept: its kernel crashed, its boot ended in the emergency shell, a disk
/// failed, a process was ended for its memory, or what is written below a mount point would be lost.
///
/// Only who can know it is believed. A program may print the same words, and its lines are on the console too.
enum FatalLine {
    /// What every such line contains, for a first look.
    static let words = [
        "Kernel panic - not syncing", "Oops: ", "BUG: unable to handle", "emergency mode", "EXT4-fs error", "I/O error",
        "ut of memory: Killed process", guardWords,
    ]

    /// Whether a line is one.
    static func matches(_ line: String) -> Bool {
        guard words.contains(where: line.contains) else { return false }
        if line.ranges(of: guardWords).contains(where: { begins(line, at: $0.lowerBound) }) { return true }
        if (try? emergencyShell.prefixMatch(in: line)) != nil { return true }
        return kernelMessages(in: line).contains { message in
            crashes.contains(where: message.hasPrefix) || (try? diskError.prefixMatch(in: message)) != nil
        }
    }

    // The kernel's lines begin with the time since the boot, and go on with the message, where those that journald passes on
    // have the time and then the program's name.
    private static func kernelMessages(in line: String) -> [Substring] {
        line.matches(of: time).filter { begins(line, at: $0.range.lowerBound) }.map { line[$0.range.upperBound...] }
    }

    // What is written to the console by itself also comes behind what somebody left without an end: a prompt that ends with a
    // blank, or text right before it. What quotes such a line has a blank, a quote or a bracket there.
    private static func begins(_ line: String, at place: String.Index) -> Bool {
        let before = line[..<place]
        guard let last = before.last else { return true }
        return prompts.contains(where: before.hasSuffix) || !(last.isWhitespace || "'\"`<>([{:=".contains(last))
    }

    private static let prompts = ["login: ", "assword: ", "# ", "$ "]

    // [   12.345678] or, where the kernel names its caller, [   12.345678][    T1]
    private static var time: Regex<Substring> { #/\[ *[0-9]+\.[0-9]+\](?:\[ *[TC][0-9]+\])? /# }

    private static let crashes = [
        "Kernel panic - not syncing", "Oops: ", "Internal error: Oops: ", "BUG: unable to handle", "EXT4-fs error",
        "Out of memory: Killed process", "Memory cgroup out of memory: Killed process",
    ]

    // The block layer's of several ages, the page cache's, and those of file systems.
    private static var diskError: Regex<Substring> {
        #/(?:(?:blk_update_request|print_req_error|end_request): )?I/O error, dev |Buffer I/O error on |(?:EXT4-fs|XFS|BTRFS|F2FS-fs|FAT-fs|JBD2)\b.* I/O error/#
    }

    // systemd's own words, and dracut's; some put a status in brackets before them.
    private static var emergencyShell: Regex<Substring> {
        #/(?:\[[ A-Za-z]+\] )?(?:You are in emergency mode\. After logging in|Entering emergency mode\. Exit the shell)/#
    }

    // Of what keeps guests from writing below mount points: see MountGuard.
    private static let guardWords = "kiln-guest: unguarded mount points: "
}
