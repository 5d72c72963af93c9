import Foundation

/// The parts of a MIME message, as far as a look at them needs.
///
/// https://www.rfc-editor.org/rfc/rfc2046#section-5.1
struct MailParts {
    /// A part that has none itself.
    struct Part {
        /// Its type, such as `text/cloud-config`.
        let type: String?
        /// Its content, decoded.
        let bytes: [UInt8]
    }

    private(set) var parts: [Part] = []

    /// The parts; nothing where a message has several and does not say how they are told apart.
    init?(_ text: String) {
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.last == "\r" ? String($0.dropLast()) : String($0)
        }
        // A mailbox begins a message with a line of its own.
        let envelope = lines.first?.hasPrefix("From ") == true ? 1 : 0
        guard add(lines.dropFirst(envelope), depth: 0) else { return nil }
    }

    private mutating func add(_ lines: ArraySlice<String>, depth: Int) -> Bool {
        let end = lines.firstIndex(of: "") ?? lines.endIndex
        let headers = Self.headers(lines[..<end])
        let body = lines[end...].dropFirst()
        let fields = (headers["content-type"] ?? "").split(separator: ";", maxSplits: 1)
        let type = fields.first.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        guard type?.hasPrefix("multipart/") == true else {
            parts.append(Part(type: type, bytes: Self.decode(body, headers["content-transfer-encoding"])))
            return true
        }
        guard depth < 8, fields.count > 1, let boundary = Self.boundary(String(fields[1])) else { return false }
        return Self.split(body, at: boundary).allSatisfy { add($0, depth: depth + 1) }
    }

    private static func headers(_ lines: ArraySlice<String>) -> [String: String] {
        var headers: [String: String] = [:]
        var last: String?
        for line in lines {
            if let last, line.first == " " || line.first == "\t" {
                headers[last, default: ""] += line
            } else if let colon = line.firstIndex(of: ":") {
                let name = line[..<colon].lowercased()
                headers[name] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                last = name
            }
        }
        return headers
    }

    private static func boundary(_ parameters: String) -> String? {
        for parameter in parameters.split(separator: ";") {
            let pair = parameter.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            guard pair.count == 2, pair[0].lowercased() == "boundary" else { continue }
            let value = pair[1].trimmingCharacters(in: CharacterSet(charactersIn: "\""))
            return value.isEmpty ? nil : value
        }
        return nil
    }

    private static func split(_ body: ArraySlice<String>, at boundary: String) -> [ArraySlice<String>] {
        var parts: [ArraySlice<String>] = []
        var start: Int?
        for index in body.indices {
            let line = body[index].trimmingCharacters(in: .whitespaces)
            guard line == "--" + boundary || line == "--\(boundary)--" else { continue }
            if let start { parts.append(body[start..<index]) }
            start = index + 1
            if line.hasSuffix("--"), line != "--" + boundary { return parts }
        }
        // What is cut off counts as well, as it does for cloud-init.
        if let start { parts.append(body[start...]) }
        return parts
    }

    private static func decode(_ body: ArraySlice<String>, _ encoding: String?) -> [UInt8] {
        let text = body.joined(separator: "\n")
        switch encoding?.lowercased() {
        case "base64": return Data(base64Encoded: text, options: .ignoreUnknownCharacters).map { Array($0) } ?? []
        case "quoted-printable": return unquoted(Array(text.utf8))
        default: return Array(text.utf8)
        }
    }

    private static func unquoted(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let next = bytes[(index + 1)...].prefix(2)
            if bytes[index] == UInt8(ascii: "="), next.first == UInt8(ascii: "\n") {
                index += 2
            } else if bytes[index] == UInt8(ascii: "="),
                let byte = UInt8(String(decoding: next, as: UTF8.self), radix: 16)
            {
                result.append(byte)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }
}
