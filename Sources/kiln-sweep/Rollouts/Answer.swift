import Foundation
import KilnOutside

/// What came of a request to a server's page about itself.
enum Answer {
    /// All of it, with the status 200.
    case whole(String)
    /// Nobody listened, the connection ended early, or the status was another one.
    case broken
    /// It did not come in time, which on a busy host says nothing about who was asked.
    case late

    /// How long the socket waits, less what a clock may differ.
    private static let patience = Duration.milliseconds(4_900)

    /// Asks at a port of 127.0.0.1.
    static func asking(_ port: UInt16) -> Answer {
        let begin = ContinuousClock.now
        if let text = LocalSocket.get(port: port, "/generation"), isWhole(text) { return .whole(text) }
        return ContinuousClock.now - begin < patience ? .broken : .late
    }

    private static func isWhole(_ text: String) -> Bool {
        // A line end of HTTP is one Character of Swift's.
        guard let gap = text.range(of: "\r\n\r\n") else { return false }
        let lines = text[..<gap.lowerBound].split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " "), status.count > 1, status[1] == "200" else {
            return false
        }
        let body = text[gap.upperBound...]
        let said = lines.first { $0.lowercased().hasPrefix("content-length:") }
        guard let length = said?.split(separator: ":").last?.split(separator: " ").first.flatMap({ Int($0) }) else {
            return !body.isEmpty
        }
        return body.utf8.count == length
    }
}
