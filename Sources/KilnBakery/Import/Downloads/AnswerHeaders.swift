import Foundation

/// What a server said before it sent a file, as curl wrote it down.
///
/// It is kept beside a download under way, and tells later whether the rest would belong to what is there.
struct AnswerHeaders: Sendable, Hashable {
    /// The status, such as 200.
    let status: Int
    private let fields: [String: String]

    /// A server says less than this.
    private static let longest = 1 << 16

    /// Reads the last answer in a text; those before it are of a proxy, or say only that one will come.
    init?(_ text: String) {
        var status: Int?
        var fields: [String: String] = [:]
        for line in text.prefix(AnswerHeaders.longest).split(whereSeparator: \.isNewline) {
            if line.hasPrefix("HTTP/") {
                let words = line.split(separator: " ")
                (status, fields) = (words.count > 1 ? Int(words[1]) : nil, [:])
            } else if let colon = line.firstIndex(of: ":") {
                let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                fields[line[..<colon].lowercased()] = value
            }
        }
        guard let status else { return nil }
        self.status = status
        self.fields = fields
    }

    /// Reads a file that curl wrote; nothing where it says nothing.
    init?(file path: String) {
        guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
        self.init(String(decoding: bytes.prefix(AnswerHeaders.longest), as: UTF8.self))
    }

    /// How long the whole file is; nothing where the server did not say so.
    var total: UInt64? {
        status == 206 ? range?.total : fields["content-length"].flatMap { UInt64($0) }
    }

    /// Of a part: where it begins, and how long the whole is.
    var range: (start: UInt64, total: UInt64)? {
        // bytes 100-199/200
        guard let text = fields["content-range"], text.hasPrefix("bytes ") else { return nil }
        let numbers = text.dropFirst(6).split { $0 == "-" || $0 == "/" }.map { UInt64($0) }
        guard numbers.count == 3, let start = numbers[0], let total = numbers[2] else { return nil }
        return (start, total)
    }

    /// What tells one state of a file from another: a strong entity tag, or else the time of the last change.
    var validator: String? {
        let isStrong = fields["etag"]?.hasPrefix("\"") ?? false
        guard let text = isStrong ? fields["etag"] : fields["last-modified"], text.utf8.count <= 1000,
            text.utf8.allSatisfy({ (0x20...0x7e).contains($0) })
        else { return nil }
        return text
    }

    /// Whether a part comes from the same state of the file.
    func isOfSameFile(as part: AnswerHeaders) -> Bool {
        validator != nil && validator == part.validator && total != nil && total == part.total
    }
}
