import Foundation
import KilnModel
import KilnSystem

/// One request over HTTP, by the program curl, whose answer goes to a file.
struct Curl: Sendable {
    /// What is asked for.
    let url: DownloadURL
    /// Where the answer's content goes; curl makes the file anew.
    let output: String
    /// Where its headers go.
    let headers: String
    /// A file for the request: what is asked for may be a secret, and arguments are seen by everybody.
    let request: String
    /// The first byte that is wanted; nothing asks for the whole.
    let offset: ByteCount?
    /// What the file has to be still for a part to make sense.
    let validator: String?
    let limits: DownloadLimits

    /// What curl's exit statuses mean that lead to different errors; see its manual.
    private enum Exit {
        static let answeredWithError: Int32 = 22
        static let notWritten: Int32 = 23
        static let tooSlow: Int32 = 28
        static let tooLarge: Int32 = 63
    }

    /// Sends the request and waits for the end of the answer.
    ///
    /// - Parameters:
    ///   - tell: takes a line about how far it is, once a second at most.
    ///   - name: what it is told as.
    /// - Throws: `KilnError` with code `download.…`, `disk.full` or `tool.…`; `CancellationError`.
    func run(telling tell: @escaping @Sendable (String) -> Void, as name: DownloadURL) async throws -> CurlAnswer {
        try DurableFile.write(Data(configuration.utf8), to: request, mode: 0o600)
        defer { unlink(request) }
        let ticker = Task { [progress = TransferProgress(self, name)] in
            var progress = progress
            while true {
                // A look at how far it is; curl tells nobody by itself.
                try await Task.sleep(for: .seconds(1))
                if let line = progress.next() { tell(line) }
            }
        }
        defer { ticker.cancel() }
        let found = try await command.result()
        let answer = CurlAnswer(found.text)
        if let error = failure(found, answer) { throw error }
        return answer
    }

    private var command: Command {
        let arguments = [
            // Has to come first: what a user tells curl elsewhere must not lead it somewhere else.
            "--disable", "--globoff", "--silent", "--show-error", "--fail", "--proto", "=http,https",
            "--connect-timeout",
            "30", "--speed-limit", "\(limits.slowest)", "--speed-time", "\(limits.patience)", "--max-filesize",
            "\(room.bytes)", "--dump-header", headers, "--output", output, "--write-out",
            "%{http_code} %{redirect_url}", "--config", request,
        ]
        // curl's own limit knows only what a server says beforehand.
        let limits = Command.Limits(processorSeconds: 7_200, addressSpace: .mebibytes(4096), fileSize: room)
        var command = Command("curl", arguments, deadline: self.limits.deadline, limits: limits)
        // Proxies are named in the environment.
        command.surroundings = .inherited([:])
        command.endsWithParent = true
        return command
    }

    private var room: ByteCount {
        ByteCount(bytes: limits.largest.bytes - min(limits.largest.bytes, offset?.bytes ?? 0))
    }

    private var configuration: String {
        var lines = ["url = \(Curl.quoted(url.text))"]
        if let offset { lines.append("range = \"\(offset.bytes)-\"") }
        if let validator { lines.append("header = \(Curl.quoted("If-Range: \(validator)"))") }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    // MARK: - Errors

    private func failure(_ found: Command.Output, _ answer: CurlAnswer) -> KilnError? {
        let size = DownloadedFile.size(output) ?? 0
        let says = Printable.text(found.errors)
        switch found.status {
        case 0 where answer.redirection != nil || answer.status == 200: return nil
        // A part, or none because the file is shorter by now: only where one was asked for.
        case 0, Exit.answeredWithError:
            return offset != nil && [206, 416].contains(answer.status) ? nil : refused(answer.status)
        case Exit.tooLarge: return tooLarge
        case Exit.tooSlow: return stalled(size, says)
        case _ where size >= room.bytes: return tooLarge
        case Exit.notWritten: return notWritten(says)
        default: return broken(size, says)
        }
    }

    private func refused(_ status: Int) -> KilnError {
        KilnError(
            .downloadRefused,
            "\(url) can't be downloaded: its server answered with status \(status)"
                + (status == 404 || status == 410 ? ", it has no such file" : ""),
            hint: "check the address; publishers remove old releases",
            exit: .aborted
        )
    }

    private var tooLarge: KilnError {
        KilnError(
            .downloadTooLarge,
            "\(url) is larger than \(limits.largest.rounded), the most that is downloaded",
            hint: "check the address; fetch the file yourself where it really is that large, and name it",
            exit: .aborted
        )
    }

    private func stalled(_ size: UInt64, _ says: String) -> KilnError {
        KilnError(
            .downloadStalled,
            "\(url) was given up after \(came(size)): for \(limits.patience) seconds less than \(limits.slowest) bytes a "
                + "second came, or no connection",
            hint: "try again later: it goes on where it stopped, if its server can do that",
            cause: says,
            exit: .deadline
        )
    }

    private func notWritten(_ says: String) -> KilnError {
        KilnError(
            .diskFull,
            "the download of \(url) can't be written to \(output)",
            hint: "free some space there, or check who may write there, and run the command again",
            cause: says,
            exit: .aborted
        )
    }

    private func broken(_ size: UInt64, _ says: String) -> KilnError {
        KilnError(
            .downloadFailed,
            "\(url) could not be downloaded, \(came(size)) came",
            hint:
                "check the address and the network, and run the command again: it goes on where it stopped, if its server "
                + "can do that",
            cause: says,
            exit: .aborted
        )
    }

    private func came(_ size: UInt64) -> String { ByteCount(bytes: size + (offset?.bytes ?? 0)).rounded }
}

/// What curl tells of an answer.
struct CurlAnswer: Sendable, Hashable {
    /// The status, such as 200; 0 where there was no answer.
    let status: Int
    /// The address that the server leads to.
    let redirection: String?

    init(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 1).map(String.init)
        status = words.first.flatMap { Int($0) } ?? 0
        redirection = words.count > 1 ? words[1] : nil
    }
}

/// How far a download is, told in lines that say something new.
struct TransferProgress: Sendable {
    private let name: DownloadURL
    private let output: String
    private let headers: String
    private let offset: UInt64
    private var told: UInt64 = 0

    init(_ curl: Curl, _ name: DownloadURL) {
        self.name = name
        (output, headers, offset) = (curl.output, curl.headers, curl.offset?.bytes ?? 0)
    }

    /// A line; nothing where it would say what the one before said.
    mutating func next() -> String? {
        guard let size = DownloadedFile.size(output).map({ $0 + offset }), size > 0 else { return nil }
        let total = AnswerHeaders(file: headers)?.total.flatMap { $0 > 0 ? $0 : nil }
        // A hundredth of it, or so much where nobody knows how much will come.
        let share = size / (total.map { max(1, $0 / 100) } ?? 16 << 20)
        guard share > told else { return nil }
        told = share
        let how = total.map { " of \(ByteCount(bytes: $0).rounded), \(min(100, size * 100 / max(1, $0))) %" } ?? ""
        return "\(name.shortName): \(ByteCount(bytes: size).rounded)\(how)"
    }
}
