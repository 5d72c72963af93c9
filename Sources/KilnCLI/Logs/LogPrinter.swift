import Synchronization

/// Writes a log in pieces, escaped unless the user wants it raw.
final class LogPrinter: Sendable {
    private let output: ByteSink
    private let isRaw: Bool
    private let escaper = Mutex(ConsoleEscaper())

    init(output: ByteSink, isRaw: Bool) {
        self.output = output
        self.isRaw = isRaw
    }

    /// Writes the next piece.
    func take(_ bytes: ArraySlice<UInt8>) {
        if isRaw { return output.write(Array(bytes)) }
        escaper.withLock { output.text($0.take(bytes)) }
    }

    /// Writes what was held back because it could have been the start of a character.
    func finish() { escaper.withLock { output.text($0.finish()) } }
}
