import CCurl
import Dispatch
import KilnEngine
import KilnModel
import KilnSystem
import Synchronization

/// Makes requests over HTTP/1.1 to ports of 127.0.0.1, with libcurl.
///
/// However many there are, one thread makes them all, and only while there are any; whoever waits holds none.
final class HTTPClient: Sendable {
    /// The one of this process.
    static let shared = HTTPClient()

    /// The transfers under way, by what libcurl knows them by.
    private typealias UnderWay = [UnsafeMutableRawPointer: (transfer: HTTPTransfer, handle: EasyHandle)]

    private struct Inbox {
        var arrived: [HTTPTransfer] = []
        var isAtWork = false
    }

    private let inbox = Mutex(Inbox())
    private let queue = DispatchQueue(label: "kiln.http")
    // Used on the queue only, but for waking it up.
    nonisolated(unsafe) private let multi: UnsafeMutableRawPointer?

    private init() {
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        multi = curl_multi_init()
    }

    /// Makes a request; when the task is cancelled, it ends at once.
    func answer(
        to probe: HTTPProbe,
        on port: UInt16,
        over connection: ConnectionUse = .new,
        within limit: Duration
    ) async -> HTTPTransfer.Outcome {
        let transfer = HTTPTransfer(probe, port: port, within: limit, over: connection)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                transfer.waiter = waiter
                begin(transfer)
            }
        } onCancel: {
            transfer.cancel()
            curl_multi_wakeup(multi)
        }
    }

    private func begin(_ transfer: HTTPTransfer) {
        let isAtWork = inbox.withLock { inbox in
            defer { inbox.isAtWork = true }
            inbox.arrived.append(transfer)
            return inbox.isAtWork
        }
        if isAtWork { curl_multi_wakeup(multi) } else { queue.async { self.work() } }
    }

    // Until nothing is left to do.
    private func work() {
        var underWay: UnderWay = [:]
        while let arrived = arrived(isBusy: !underWay.isEmpty) {
            for transfer in arrived { start(transfer, &underWay) }
            for (curl, entry) in underWay where entry.transfer.isCancelled {
                end(curl, CURLE_ABORTED_BY_CALLBACK, &underWay)
            }
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            while let (curl, code) = nextEnded() { end(curl, code, &underWay) }
            // libcurl wakes up for its own deadlines, and whoever has something new wakes it up.
            if !underWay.isEmpty { curl_multi_poll(multi, nil, 0, 1_000, nil) }
        }
    }

    // What has come meanwhile; nothing where that is the end.
    private func arrived(isBusy: Bool) -> [HTTPTransfer]? {
        inbox.withLock { inbox in
            defer { inbox.arrived = [] }
            inbox.isAtWork = isBusy || !inbox.arrived.isEmpty
            return inbox.isAtWork ? inbox.arrived : nil
        }
    }

    private func start(_ transfer: HTTPTransfer, _ underWay: inout UnderWay) {
        guard let handle = transfer.handle(), curl_multi_add_handle(multi, handle.curl) == CURLM_OK else {
            return transfer.end(.failure(NoAnswer("libcurl can't make this request")))
        }
        underWay[handle.curl] = (transfer, handle)
    }

    private func nextEnded() -> (UnsafeMutableRawPointer, CURLcode)? {
        var left: Int32 = 0
        guard let message = curl_multi_info_read(multi, &left), message.pointee.msg == CURLMSG_DONE else { return nil }
        return (message.pointee.easy_handle, message.pointee.data.result)
    }

    private func end(_ curl: UnsafeMutableRawPointer, _ code: CURLcode, _ underWay: inout UnderWay) {
        guard let (transfer, handle) = underWay.removeValue(forKey: curl) else { return }
        let outcome = transfer.outcome(handle, code)
        // First, since the process may end once there is an outcome, and its libraries with it.
        curl_multi_remove_handle(multi, curl)
        transfer.end(outcome)
    }
}
