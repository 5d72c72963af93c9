import Foundation
import KilnModel
import KilnSystem

/// The way of one file from a server to a place on disk, by curl.
///
/// ```
/// PLACE.part       what came so far
/// PLACE.headers    what the server said of it
/// PLACE.more       what comes now of a download that goes on, and PLACE.more-headers
/// PLACE.request    the request, for curl's eyes only
/// ```
///
/// A rest is asked for only where the server can tell whether the file is still the same, and joined to the part only where
/// it says so. Redirections are followed here, one request each, so that every address is judged before anything is sent
/// to it.
struct Transfer: Sendable {
    let url: DownloadURL
    /// The path that the names above begin with.
    let place: String
    var limits = DownloadLimits()
    /// Takes a line about how far it is, once a second at most.
    var tell: @Sendable (String) -> Void = { _ in }

    private static let mostRedirections = 10

    var part: String { place + ".part" }
    var headers: String { place + ".headers" }
    private var more: String { place + ".more" }
    private var moreHeaders: String { place + ".more-headers" }
    var request: String { place + ".request" }

    /// Downloads the file, or the rest of it, to ``part``.
    ///
    /// - Throws: `KilnError` with code `download.…`, `disk.full` or `tool.…`; `CancellationError`. What came stays, and the
    ///   next time goes on with it.
    func run() async throws {
        for path in [more, moreHeaders, request] { unlink(path) }
        if let rest = rest() {
            tell("\(url.shortName): going on after \(rest.offset.rounded)")
            if try await attempt(after: rest) { return try requireWhole() }
            tell("\(url.shortName) is not what it was: it is downloaded anew")
        }
        removeParts()
        _ = try await attempt(after: nil)
        try requireWhole()
    }

    /// Removes what came so far.
    func removeParts() {
        for path in [part, headers, more, moreHeaders, request] { unlink(path) }
    }

    /// What is there of the file already, and is worth going on with.
    private struct Rest {
        let offset: ByteCount
        let headers: AnswerHeaders
        let validator: String
    }

    private func rest() -> Rest? {
        guard let known = AnswerHeaders(file: headers), known.status == 200, let validator = known.validator,
            let total = known.total, let size = DownloadedFile.size(part), size > 0, size < total,
            total <= limits.largest.bytes
        else { return nil }
        return Rest(offset: ByteCount(bytes: size), headers: known, validator: validator)
    }

    /// One try, over all redirections; false where what came belongs to another file than the part.
    private func attempt(after rest: Rest?) async throws -> Bool {
        var address = url
        for _ in 0...Transfer.mostRedirections {
            let answer = try await ask(address, after: rest)
            guard let target = answer.redirection else {
                guard let rest else { return true }
                return try await takeOver(after: rest)
            }
            for path in rest == nil ? [part, headers] : [more, moreHeaders] { unlink(path) }
            address = try followed(target, from: address)
        }
        throw refused("it leads from one address to the next, more than \(Transfer.mostRedirections) times")
    }

    private func ask(_ address: DownloadURL, after rest: Rest?) async throws -> CurlAnswer {
        let curl = Curl(
            url: address,
            output: rest == nil ? part : more,
            headers: rest == nil ? headers : moreHeaders,
            request: request,
            offset: rest?.offset,
            validator: rest?.validator,
            limits: limits
        )
        do {
            return try await curl.run(telling: tell, as: url)
        } catch {
            // Whatever ended it: what came of the file is not asked for again, and what is none of it goes.
            if let rest {
                _ = try? await takeOver(after: rest)
            } else if AnswerHeaders(file: headers)?.status != 200 {
                removeParts()
            }
            throw error
        }
    }

    /// Takes over what came when a rest was asked for; false where it belongs to another file than the part.
    private func takeOver(after rest: Rest) async throws -> Bool {
        guard let answer = AnswerHeaders(file: moreHeaders) else { return false }
        // A server without ranges, or with another file by now, sends all of it.
        if answer.status == 200 {
            unlink(headers)
            try DurableFile.rename(more, to: part)
            try DurableFile.rename(moreHeaders, to: headers)
            return true
        }
        guard answer.status == 206, answer.range?.start == rest.offset.bytes, answer.isOfSameFile(as: rest.headers)
        else {
            return false
        }
        let (more, part) = (more, part)
        try await BlockingWork.run { try DownloadedFile.append(more, to: part) }
        unlink(moreHeaders)
        return true
    }

    private func requireWhole() throws {
        let (size, total) = (DownloadedFile.size(part) ?? 0, AnswerHeaders(file: headers)?.total)
        guard size > 0, total == nil || total == size else {
            throw KilnError(
                .downloadFailed,
                "\(url) was not downloaded whole: \(size) bytes came"
                    + (total.map { ", expected \($0)" } ?? ""),
                hint: "run the command again, or check the address",
                exit: .aborted
            )
        }
    }

    /// The next address, where it may be asked: none is less safe than the one before.
    ///
    /// - Throws: `KilnError` with code `download.redirected`.
    func followed(_ target: String, from address: DownloadURL) throws -> DownloadURL {
        if let why = DownloadURL.refusal(target) { throw refused("it leads to \(DownloadURL.shown(target)): \(why)") }
        let next = try DownloadURL(target)
        guard next.isSecure || !address.isSecure else {
            throw refused("\(address) leads to \(next), where everybody on the way can read and change it")
        }
        return next
    }

    private func refused(_ why: String) -> KilnError {
        KilnError(
            .downloadRedirected,
            "\(url) is not downloaded: \(why)",
            hint: "ask its publisher for an address that leads there by http or https, or fetch the file yourself",
            exit: .aborted
        )
    }
}
