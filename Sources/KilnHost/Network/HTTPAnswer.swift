import Foundation

/// As much of an HTTP answer as a probe looks at.
///
/// https://www.rfc-editor.org/rfc/rfc9112
struct HTTPAnswer {
    /// The status code.
    let status: Int
    /// The announced length of the body in bytes, if any.
    let length: Int?
    /// What was read of the body.
    let body: ArraySlice<UInt8>

    /// Reads what came so far; nothing before the header has ended, or where it is not HTTP.
    init?(_ bytes: [UInt8]) {
        guard bytes.starts(with: Array("HTTP/1.".utf8)), let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            return nil
        }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[1].utf8.count == 3, let status = Int(words[1]) else { return nil }
        self.status = status
        length = lines.dropFirst().lazy.compactMap(HTTPAnswer.contentLength).first
        body = bytes[end.upperBound...]
    }

    /// Whether the announced length has been read.
    var isComplete: Bool { length.map { body.count >= $0 } ?? false }
    /// Whether less than the announced length has been read.
    var isCutOff: Bool { length.map { body.count < $0 } ?? false }

    private static func contentLength(_ line: String) -> Int? {
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "content-length" else { return nil }
        return Int(parts[1].trimmingCharacters(in: .whitespaces))
    }
}
