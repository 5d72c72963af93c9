import KilnEngine
import Synchronization

/// A talk with a command, of which the second line is only said once the first was answered.
struct TwoLines {
    let command = GuestCommand(
        ["sh", "-c", "while read -r line; do echo \"got $line\"; done; exit 5"],
        deadline: .seconds(60)
    )
    /// How the command ends where it got both lines and their end.
    let ending = GuestEnding(status: 5)
    let dialogue: GuestDialogue

    init() {
        let (answers, said) = AsyncStream.makeStream(of: [UInt8].self)
        let step = Counter()
        dialogue = GuestDialogue(
            input: {
                let now = step.next()
                if now == 2 { for await _ in answers { break } }
                return now > 2 ? [] : Array("line \(now)\n".utf8)
            },
            take: { stream, bytes in if stream == .output, !bytes.isEmpty { said.yield(bytes) } }
        )
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)

        func next() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }
}
