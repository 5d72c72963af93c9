import ArgumentParser

/// How long something may take, as a user writes it: a whole number and `ms`, `s`, `m` or `h`.
struct Patience: ExpressibleByArgument, Equatable {
    let duration: Duration

    /// Reads the written form; nothing else, so that a bare number can't be misread.
    init?(argument: String) {
        let units: [(suffix: String, length: Duration)] = [
            ("ms", .milliseconds(1)), ("s", .seconds(1)), ("m", .seconds(60)), ("h", .seconds(3600)),
        ]
        for (suffix, length) in units where argument.hasSuffix(suffix) {
            let digits = argument.dropLast(suffix.count)
            guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int32(digits),
                count > 0
            else { return nil }
            duration = length * count
            return
        }
        return nil
    }
}
