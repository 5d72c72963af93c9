import Foundation

/// What the console log of a machine tells; all of it is hostile text.
struct ConsoleLog {
    let path: String
    private let tailLength = 16384

    /// How far the boot has come, as far as the console tells.
    var phase: String {
        let text = tail
        if text.isEmpty { return "firmware or kernel" }
        if text.contains("phase=ready") || text.contains(" login:") { return "booted" }
        if let stage = lastCloudInitStage(text) { return stage }
        if text.contains("phase=cloud-init") { return "cloud-init" }
        if text.contains("phase=init") || text.contains("systemd[1]") || text.contains("Welcome to") { return "init" }
        return "kernel"
    }

    /// The line that tells of a crash the guest won't recover from, if there is one.
    var fatalLine: String? {
        lines.first { $0.contains("Kernel panic - not syncing") || $0.contains("You are in emergency mode") }
    }

    /// The last lines, printable and short.
    func lastLines(_ count: Int) -> [String] { Array(lines.suffix(count)) }

    private var lines: [String] {
        tail.split(whereSeparator: \.isNewline).map { line in
            printable(line, 160)
        }.filter { !$0.isEmpty }
    }

    private func printable(_ text: Substring, _ length: Int) -> String {
        String(text.unicodeScalars.filter { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }.prefix(length))
    }

    private var tail: String {
        guard let file = FileHandle(forReadingAtPath: path) else { return "" }
        defer { try? file.close() }
        let size = (try? file.seekToEnd()) ?? 0
        try? file.seek(toOffset: size > UInt64(tailLength) ? size - UInt64(tailLength) : 0)
        return String(decoding: (try? file.read(upToCount: tailLength)) ?? Data(), as: UTF8.self)
    }

    // cloud-init says: Cloud-init v. 25.1.4 running 'modules:config' at …
    private func lastCloudInitStage(_ text: String) -> String? {
        guard let found = text.range(of: "Cloud-init v.", options: .backwards) else { return nil }
        let parts = text[found.upperBound...].prefix(80).split(separator: "'")
        return parts.count > 1 ? "cloud-init \(printable(parts[1], 30))" : "cloud-init"
    }
}
