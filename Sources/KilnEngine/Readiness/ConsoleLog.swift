import Foundation
import KilnModel

/// What the console log of a machine tells; all of it is hostile text.
struct ConsoleLog {
    let path: String
    /// Where this boot begins in the file.
    var start: UInt64 = 0
    /// Lines that contain one of these texts tell of nothing fatal.
    var allow: [String] = []
    private let tailLength: UInt64 = 16384
    private let longestScan: UInt64 = 4 << 20
    /// Up to where no line is fatal, for who asks again: a console may grow and grow.
    private let searched = Locked<UInt64>(0)

    /// Whether this boot's cloud-init says anything on the console; then it most likely also says there that it has ended.
    var tellsOfCloudInit: Bool { tells(["phase=cloud-init", "Cloud-init v."]) }

    /// Whether this boot's cloud-init says that it has ended: only a hint of when to ask.
    var tellsOfCloudInitEnd: Bool { tells(["phase=ready", " finished at "]) }

    /// Whether this boot's guest says that it is held where clones of it go on.
    var tellsOfHold: Bool { tells(["phase=held"]) }

    private func tells(_ signs: [String]) -> Bool {
        let bytes = tailBytes
        return signs.contains { bytes.range(of: Data($0.utf8)) != nil }
    }

    /// How far the boot has come, as far as the console tells.
    var phase: String {
        let text = tail
        if text.isEmpty { return "firmware or kernel" }
        if text.contains("phase=ready") || text.contains(" login:") { return "booted" }
        if let stage = lastCloudInitStage(text) { return stage }
        if text.contains("phase=cloud-init") { return "cloud-init" }
        if firmwareComplaint != nil { return "firmware" }
        if text.contains("phase=init") || text.contains("systemd[1]") || text.contains("Welcome to") { return "init" }
        return "kernel"
    }

    /// The first line of this boot that tells of something fatal, if there is one; however much the console has said, no more
    /// than 4 MiB of it are held at once.
    var fatalLine: String? {
        var offset = max(start, searched.withLock { $0 })
        while true {
            let bytes = bytes(from: offset, most: longestScan)
            if let line = fatalLine(in: bytes) { return line }
            guard bytes.count == Int(longestScan) else { return nil }
            // The last line may go on. One that is longer than all of this says nothing.
            let end = bytes.lastIndex(of: 0x0a).map { $0 + 1 } ?? bytes.endIndex
            offset += UInt64(bytes.distance(from: bytes.startIndex, to: end))
            searched.withLock { [offset] in $0 = offset }
        }
    }

    private func fatalLine(in bytes: Data) -> String? {
        // The bytes come first: of a console that grows and grows only a few lines are worth a look.
        guard FatalLine.words.contains(where: { bytes.range(of: Data($0.utf8)) != nil }) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self).replacing(ConsoleLog.colour, with: "")
        return ConsoleLog.lines(of: text).first { line in
            FatalLine.matches(line) && !allow.contains(where: line.contains)
        }
    }

    /// Whether this boot has said nothing that can be read.
    var isEmpty: Bool { lines.isEmpty }

    /// The last line of firmware that could not start something, where nothing that it started has said anything.
    var firmwareComplaint: String? {
        let lines = lines.map { $0.replacing(ConsoleLog.colour, with: "") }
        guard !lines.contains(where: { line in FirmwareLine.successors.contains(where: line.contains) }) else {
            return nil
        }
        // One that starts something else has not come to its end.
        let last = lines.last { $0.contains("BdsDxe: ") || FirmwareLine.isComplaint($0) }
        return last.flatMap { FirmwareLine.isComplaint($0) ? $0 : nil }
    }

    // What a terminal takes for colours and movements: https://ecma-international.org/publications-and-standards/standards/ecma-48/
    private static var colour: Regex<Substring> { #/\u{1b}\[[0-9;?]*[A-Za-z]/# }

    /// The first line of this boot with one of these texts, where nothing tells that init had begun.
    func crashBeforeInit(_ crashes: [String]) -> String? {
        let lines = ConsoleLog.lines(of: String(decoding: bytes(from: start, most: longestScan), as: UTF8.self))
        let first = lines.firstIndex { line in
            crashes.contains(where: line.contains) && !allow.contains(where: line.contains)
        }
        guard let first, !lines[..<first].contains(where: { ConsoleLog.inits.contains(where: $0.contains) }) else {
            return nil
        }
        return lines[first]
    }

    // What init, or the kernel on its behalf, says first.
    private static let inits = ["phase=", "systemd[1]", "Welcome to", " as init process"]

    /// The first of the signs that this boot shows.
    func firstSign(of signs: [Platform.ConsoleSign]) -> Platform.ConsoleSign? {
        let bytes = bytes(from: start, most: longestScan)
        return signs.first { bytes.range(of: Data($0.text.utf8)) != nil }
    }

    /// The last lines, printable and short.
    func lastLines(_ count: Int) -> [String] { Array(lines.suffix(count)) }

    private var lines: [String] { ConsoleLog.lines(of: tail) }

    private static func lines(of text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map { printable($0, 160) }.filter { !$0.isEmpty }
    }

    private static func printable(_ text: Substring, _ length: Int) -> String {
        String(text.unicodeScalars.filter { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }.prefix(length))
    }

    /// What there is of it, the last 4 MiB.
    var everything: Data {
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64) ?? 0
        return bytes(from: size > longestScan ? size - longestScan : 0, most: longestScan)
    }

    private var tail: String { String(decoding: tailBytes, as: UTF8.self) }

    private var tailBytes: Data {
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64) ?? 0
        return bytes(from: max(start, size > tailLength ? size - tailLength : 0), most: tailLength)
    }

    private func bytes(from offset: UInt64, most: UInt64) -> Data {
        guard let file = FileHandle(forReadingAtPath: path) else { return Data() }
        defer { try? file.close() }
        guard (try? file.seek(toOffset: offset)) != nil else { return Data() }
        return (try? file.read(upToCount: Int(most))) ?? Data()
    }

    // cloud-init says: Cloud-init v. 25.1.4 running 'modules:config' at …
    private func lastCloudInitStage(_ text: String) -> String? {
        guard let found = text.range(of: "Cloud-init v.", options: .backwards) else { return nil }
        let parts = text[found.upperBound...].prefix(80).split(separator: "'")
        return parts.count > 1 ? "cloud-init \(ConsoleLog.printable(parts[1], 30))" : "cloud-init"
    }
}
