import Foundation

/// Where a command writes; a value, so that tests can read what was written.
struct ByteSink: Sendable {
    /// Writes all bytes.
    let write: @Sendable ([UInt8]) -> Void

    /// Writes text.
    func text(_ text: String) { write(Array(text.utf8)) }

    /// Writes lines.
    func lines(_ lines: [String]) { text(lines.map { $0 + "\n" }.joined()) }

    /// A descriptor of this process.
    ///
    /// A reader that went away, as in `kiln ps | head`, is not an error: the rest is dropped.
    static func descriptor(_ descriptor: Int32) -> ByteSink {
        ByteSink { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
