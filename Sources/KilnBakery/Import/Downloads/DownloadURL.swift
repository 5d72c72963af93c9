import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// The address of something that is downloaded: http or https, a host, and nothing that another program could take for
/// something else.
public struct DownloadURL: Sendable, Hashable, CustomStringConvertible {
    /// As it was given.
    public let text: String

    /// The longest that is accepted, in bytes.
    private static let longest = 2000
    /// Bytes of an address besides letters and digits.
    private static let marks = Set("-._~:/?#[]@!$&'()*+,;=%".utf8)

    /// Accepts an absolute address.
    ///
    /// - Throws: `KilnError` with code `download.url-refused`.
    public init(_ text: String) throws {
        if let why = DownloadURL.refusal(text) {
            throw KilnError(
                .downloadURLRefused,
                "\(DownloadURL.shown(text)) is not downloaded: \(why)",
                hint: "give an address such as https://images.example/disk.qcow2, or the path of a file",
                exit: .usage
            )
        }
        self.text = text
    }

    /// Whether a text is an address at all, and no path.
    public static func isOne(_ text: String) -> Bool {
        guard let mark = text.firstRange(of: "://") else { return false }
        return text[..<mark.lowerBound].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
            && mark.lowerBound != text.startIndex
    }

    /// Why a text is no address that is downloaded from; nothing where it is one.
    static func refusal(_ text: String) -> String? {
        guard text.utf8.count <= longest else { return "it is longer than \(longest) bytes" }
        guard text.utf8.allSatisfy({ isAllowed($0) }) else {
            return "it has characters that an address can't have; write them as %XX"
        }
        guard let scheme = scheme(of: text), ["http", "https"].contains(scheme) else {
            return "expected http:// or https://"
        }
        let authority = authority(of: text)
        guard !authority.contains("@") else {
            return "it holds a name or a password, which would end up in lists of processes and in logs"
        }
        guard let host = authority.first, host != ":" else { return "it names no host" }
        return nil
    }

    /// A text that is no such address, in quotes and without what may be a secret.
    static func shown(_ text: String) -> String {
        let authority = authority(of: text)
        guard let mark = authority.lastIndex(of: "@") else { return Name.quoted(text) }
        return Name.quoted(text[..<authority.startIndex] + "…" + text[mark...])
    }

    /// Whether what is sent can be read and changed by nobody on the way.
    var isSecure: Bool { DownloadURL.scheme(of: text) == "https" }

    /// The name of the file that it leads to; empty where it ends with '/'.
    var fileName: String {
        let last = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().last ?? ""
        return String(last).removingPercentEncoding ?? String(last)
    }

    /// The file's name for people, or the whole address where that says nothing.
    var shortName: String { fileName.isEmpty ? description : Printable.line(fileName) }

    /// What its files are called: the sha256 of the address.
    var key: String {
        get throws { try FileDigest.sha256(Data(text.utf8)).hex }
    }

    /// The address of a file that lies beside this one.
    ///
    /// - Throws: `KilnError` with code `download.url-refused`.
    func beside(_ name: String) throws -> DownloadURL {
        let end = path.lastIndex(of: "/").map { path.index(after: $0) }
        return try DownloadURL(end.map { String(text[..<$0]) + name } ?? "\(text)/\(name)")
    }

    /// The address without its query, which may be a secret.
    public var description: String {
        let shown = text.prefix { $0 != "?" && $0 != "#" }
        return shown.utf8.count == text.utf8.count ? text : "\(shown)?…"
    }

    /// From the first '/' behind the host up to the query.
    private var path: Substring {
        let rest = DownloadURL.rest(of: text)
        return rest[(rest.firstIndex(of: "/") ?? rest.endIndex)...].prefix { $0 != "?" && $0 != "#" }
    }

    private static func scheme(of text: String) -> String? {
        text.firstRange(of: "://").map { text[..<$0.lowerBound].lowercased() }
    }

    private static func rest(of text: String) -> Substring {
        text.firstRange(of: "://").map { text[$0.upperBound...] } ?? ""
    }

    private static func authority(of text: String) -> Substring { rest(of: text).prefix { !"/?#".contains($0) } }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: marks.contains(byte)
        }
    }
}
