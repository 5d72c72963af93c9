import KilnModel

/// What the reaper tells the kiln that started it, once, through a pipe.
enum DaemonReport: Equatable {
    /// The daemon accepts connections.
    case ready
    /// It doesn't, for this reason.
    case failed(KilnError)

    private static let separator: Character = "\u{1f}"

    var text: String {
        switch self {
        case .ready: "ready"
        case .failed(let error):
            [error.code.rawValue, error.message, error.hint ?? "", error.cause ?? ""]
                .joined(separator: String(Self.separator))
        }
    }

    /// Reads a report; nil where the reaper ended without one.
    init?(text: String) {
        if text == "ready" {
            self = .ready
            return
        }
        let parts = text.split(separator: Self.separator, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4 else { return nil }
        self = .failed(
            KilnError(
                ErrorCode(rawValue: parts[0]),
                parts[1],
                hint: parts[2].isEmpty ? nil : parts[2],
                cause: parts[3].isEmpty ? nil : parts[3],
                exit: .unreachable
            )
        )
    }
}
