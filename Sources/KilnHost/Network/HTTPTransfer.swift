import CCurl
import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import Synchronization

/// A request to a port of 127.0.0.1 and what has come back of its answer.
///
/// All but the cancellation belongs to the thread of ``HTTPClient``, once it has begun.
final class HTTPTransfer: @unchecked Sendable {
    /// An answer, or why there is none.
    typealias Outcome = Result<HTTPAnswer, NoAnswer>

    /// What is so long that the rest is not read.
    private enum Excess { case headers, body }

    let probe: HTTPProbe
    let port: UInt16
    let limit: Duration
    let connection: ConnectionUse
    /// Who waits for the outcome.
    var waiter: CheckedContinuation<Outcome, Never>?
    private let cancellation = Mutex(false)
    private var headerCount = 0
    private var body: [UInt8] = []
    private var excess: Excess?
    private var wasSent = false

    /// A request that has not begun.
    init(_ probe: HTTPProbe, port: UInt16, within limit: Duration, over connection: ConnectionUse = .new) {
        self.probe = probe
        self.port = port
        self.limit = limit
        self.connection = connection
    }

    /// Whether nobody waits for the answer any more.
    var isCancelled: Bool { cancellation.withLock { $0 } }

    /// To be ended at once.
    func cancel() { cancellation.withLock { $0 = true } }

    /// Ends it.
    func end(_ outcome: Outcome) {
        waiter?.resume(returning: outcome)
        waiter = nil
    }

    /// What has come of it when libcurl ended it.
    func outcome(_ handle: EasyHandle, _ code: CURLcode) -> Outcome {
        switch excess {
        case .headers:
            return .failure(
                NoAnswer("its headers are longer than \(HTTPAnswer.headerLimit >> 10) KiB", kind: .garbled)
            )
        case .body: return .success(answer(handle))
        case nil: return code == CURLE_OK ? .success(answer(handle)) : .failure(failure(handle, code))
        }
    }

    private func failure(_ handle: EasyHandle, _ code: CURLcode) -> NoAnswer {
        NoAnswer(reason(handle, code), kind: kind(handle, code))
    }

    private func kind(_ handle: EasyHandle, _ code: CURLcode) -> NoAnswer.Kind {
        switch code {
        case CURLE_OPERATION_TIMEDOUT: .timeout
        case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE: .closed
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY: .garbled
        case CURLE_COULDNT_CONNECT: NoAnswer(errno: Int32(handle.number(CURLINFO_OS_ERRNO))).kind
        // libcurl keeps the number to itself.
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR: .reset
        case CURLE_ABORTED_BY_CALLBACK where wasSent: .closed
        default: .other
        }
    }

    private func answer(_ handle: EasyHandle) -> HTTPAnswer {
        HTTPAnswer(
            status: handle.number(CURLINFO_RESPONSE_CODE),
            headers: handle.headers,
            body: body
        )
    }

    private func reason(_ handle: EasyHandle, _ code: CURLcode) -> String {
        // They may hold what the peer says of itself.
        let words = Printable.line(handle.words(code))
        switch code {
        case CURLE_OPERATION_TIMEDOUT where headerCount == 0: return NoAnswer.silence.reason
        case CURLE_OPERATION_TIMEDOUT: return "the answer did not end in time"
        case CURLE_COULDNT_CONNECT:
            let cause = Int32(handle.number(CURLINFO_OS_ERRNO))
            return cause == 0 ? words : String(cString: strerror(cause))
        case CURLE_ABORTED_BY_CALLBACK where wasSent: return "the kept connection was closed without an answer"
        case CURLE_GOT_NOTHING: return "the connection was closed without an answer"
        case CURLE_PARTIAL_FILE: return "the HTTP answer is cut off"
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
            return probe.tls == nil ? "not an HTTP answer; one over TLS needs 'tls: true'" : "not an HTTP answer"
        case CURLE_PEER_FAILED_VERIFICATION: return distrust(handle, words)
        case CURLE_SSL_CACERT_BADFILE: return "the certificates of those who are trusted can't be read: \(words)"
        case CURLE_SSL_CONNECT_ERROR: return "TLS does not come about: \(words)"
        default: return words
        }
    }

    private func distrust(_ handle: EasyHandle, _ words: String) -> String {
        let found = handle.number(CURLINFO_SSL_VERIFYRESULT)
        let faults = HTTPTransfer.faults.filter { found & $0.bit != 0 }.map(\.words)
        let why = faults.isEmpty ? words : faults.joined(separator: ", ")
        return "its certificate is not trusted: \(why); in 'tls', 'ca' names a file with who signed it, 'server-name' "
            + "whom it is for, and 'verify: false' takes any"
    }

    // As GnuTLS counts them; its words libcurl keeps to itself. https://gnutls.org/manual: gnutls_certificate_status_t
    private static let faults: [(bit: Int, words: String)] = [
        (1 << 5, "it was revoked"), (1 << 6, "nobody who is trusted signed it"),
        (1 << 7, "who signed it may not sign any"), (1 << 8, "it is signed by a method that is broken"),
        (1 << 9, "it is not valid yet"), (1 << 10, "it has expired"),
    ]
}

// MARK: - What libcurl hands over

extension HTTPTransfer {
    // Less than there was ends the transfer.
    private func take(header bytes: UnsafeRawBufferPointer) -> Int {
        headerCount += bytes.count
        guard headerCount > HTTPAnswer.headerLimit else { return bytes.count }
        excess = .headers
        return 0
    }

    private func take(body bytes: UnsafeRawBufferPointer) -> Int {
        body.append(contentsOf: bytes.prefix(HTTPAnswer.bodyLimit - body.count))
        guard body.count == HTTPAnswer.bodyLimit else { return bytes.count }
        excess = .body
        return 0
    }

    // libcurl makes a request again whose kept connection broke; what a user's client would do then is the user's choice.
    private func mayBeSent() -> Bool {
        defer { wasSent = true }
        return !wasSent
    }

    static let prerequisite: curl_prereq_callback = { context, _, _, _, _ in
        guard let context else { return CURL_PREREQFUNC_ABORT }
        let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
        return transfer.mayBeSent() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
    }

    static let headerSink: curl_write_callback = { bytes, size, count, context in
        guard let bytes, let context else { return 0 }
        let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
        return transfer.take(header: UnsafeRawBufferPointer(start: bytes, count: size * count))
    }

    static let bodySink: curl_write_callback = { bytes, size, count, context in
        guard let bytes, let context else { return 0 }
        let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
        return transfer.take(body: UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
}
