/// Tells devices that may hold a volume from files and from devices that keep nothing.
enum DevicePath {
    enum Kind { case file, device, unsure }

    /// What the file is that `value` names, seen from `folder`.
    static func kind(of value: ShellArgument.Value, in folder: String) -> Kind {
        let path = normalized(value.text, in: folder)
        guard value.text != "" || value.isKnown else { return .unsure }
        guard path == "/dev" || path.hasPrefix("/dev/") else { return value.isKnown ? .file : .unsure }
        let name = path.dropFirst("/dev/".count)
        if harmless.contains(where: name.hasPrefix) { return .file }
        // What lies behind a loop is a file, and that may be anywhere.
        return name.hasPrefix("loop") ? .unsure : .device
    }

    private static let harmless = [
        "null", "zero", "full", "random", "urandom", "std", "tty", "console", "fd", "shm", "pts", "ptmx", "kmsg",
        "log",
        "mqueue", "ram", "zram", "tcp/", "udp/", "hvc", "virtio-ports", "vport", "watchdog", "net/", "kvm", "fuse",
        "rtc",
    ]

    /// The path without `.`, `..` and doubled slashes.
    static func normalized(_ text: String, in folder: String) -> String {
        guard text.hasPrefix("/") || (!folder.isEmpty && !text.hasPrefix("-")) else { return text }
        var parts: [Substring] = []
        for part in (text.hasPrefix("/") ? text : "\(folder)/\(text)").split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
