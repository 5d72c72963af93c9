/// How many guests were booted, and which of them died.
struct BootCount: Codable, Sendable {
    private(set) var boots: Int
    /// What was seen of each that did not come to init.
    private(set) var crashes: [String]
    /// Why the series could not be done, or not to its end.
    private(set) var problem: String?

    init(boots: Int, crashes: [String], problem: String? = nil) {
        (self.boots, self.crashes, self.problem) = (boots, crashes, problem)
    }

    /// Counts one more guest, or says why it could not be booted.
    mutating func add(_ verdict: Result<BootVerdict, any Error>, of number: Int) {
        switch verdict {
        case .success(.reachedInit): boots += 1
        case .success(.crashed(let how)):
            boots += 1
            crashes.append("boot \(number): \(how)")
        case .failure(let error): problem = "\(error)"
        }
    }
}

/// What a console tells of a boot.
enum BootVerdict: Equatable, Sendable {
    case reachedInit
    case crashed(String)

    // The image's init says it first of all.
    private static let firstLine = "kiln-guest: phase=init"
    private static let deaths = ["Kernel panic", "double fault", "Oops:", "BUG:", "general protection fault"]

    /// The verdict on what a guest has said by now; nothing while it may still come to init.
    ///
    /// - Parameters:
    ///   - hasEnded: whether its QEMU has.
    ///   - isOver: whether it has had all the time that it gets.
    static func of(_ console: String, hasEnded: Bool, isOver: Bool) -> BootVerdict? {
        // "\r\n" is one character, so lines are told apart by what either has.
        let lines = console.split(whereSeparator: \.isNewline).map { $0.trimmingPrefix(while: \.isWhitespace) }
        if lines.contains(where: { $0 == firstLine }) { return .reachedInit }
        for line in lines where deaths.contains(where: { line.contains($0) }) {
            return .crashed(String(line.prefix(160)))
        }
        if hasEnded { return .crashed("QEMU ended") }
        return isOver ? .crashed("silent; its last line: \(lines.last ?? "none")") : nil
    }
}
