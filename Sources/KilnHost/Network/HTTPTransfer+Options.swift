import CCurl
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

extension HTTPTransfer {
    /// The request as libcurl makes it; nothing where it can't, or not so.
    func handle() -> EasyHandle? {
        guard let handle = EasyHandle() else { return nil }
        confine(handle)
        request(handle)
        if let tls = probe.tls { secure(handle, tls) }
        handle.set(CURLOPT_HEADERFUNCTION, HTTPTransfer.headerSink, CURLOPT_HEADERDATA, self)
        handle.ask(HTTPTransfer.prerequisite, self)
        handle.set(CURLOPT_WRITEFUNCTION, HTTPTransfer.bodySink, CURLOPT_WRITEDATA, self)
        return handle.isComplete ? handle : nil
    }

    // Whatever it asks and is answered, it talks to one port of 127.0.0.1, for a limited time, by a connection of its own, where
    // none is to be kept: one that was kept might still lead to the machine before. Nothing of the user's environment has a say.
    private func confine(_ handle: EasyHandle) {
        let milliseconds = max(1, Int(limit / .milliseconds(1)))
        handle.set(CURLOPT_PROTOCOLS_STR, "http,https")
        handle.set(CURLOPT_FOLLOWLOCATION, false)
        handle.set(CURLOPT_PROXY, "")
        handle.set(CURLOPT_CONNECT_TO, ["::127.0.0.1:\(port)"])
        handle.open(by: HTTPTransfer.openSocket)
        handle.set(CURLOPT_FRESH_CONNECT, connection == .new)
        handle.set(CURLOPT_FORBID_REUSE, connection == .new)
        handle.set(CURLOPT_TIMEOUT_MS, milliseconds)
        handle.set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds)
        handle.set(CURLOPT_NOSIGNAL, true)
    }

    private func request(_ handle: EasyHandle) {
        let scheme = probe.tls == nil ? "http" : "https"
        handle.set(CURLOPT_URL, "\(scheme)://\(probe.tls?.serverName ?? "127.0.0.1"):\(port)/")
        handle.set(CURLOPT_REQUEST_TARGET, probe.path)
        handle.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        handle.set(CURLOPT_USERAGENT, "kiln")
        handle.set(CURLOPT_HTTPHEADER, headerLines)
        if let body = probe.sentBody {
            handle.set(CURLOPT_POSTFIELDSIZE, body.utf8.count)
            handle.set(CURLOPT_COPYPOSTFIELDS, body)
        }
        handle.set(CURLOPT_NOBODY, probe.method == .head)
        handle.set(CURLOPT_CUSTOMREQUEST, probe.method.rawValue)
    }

    // For libcurl a line that ends with a colon is a field to leave out, and one that ends with a semicolon an empty one.
    private var headerLines: [String] {
        let given = probe.headers.sorted { $0.key < $1.key }.map { name, value in
            value.isEmpty ? "\(name);" : "\(name): \(value)"
        }
        let names = Set(probe.headers.keys.map { $0.lowercased() })
        // What libcurl says of a body by itself is a guess.
        return given + ["Content-Type", "Expect"].filter { !names.contains($0.lowercased()) }.map { "\($0):" }
    }

    private func secure(_ handle: EasyHandle, _ tls: HTTPProbe.TLS) {
        handle.set(CURLOPT_SSL_VERIFYPEER, tls.isVerified)
        handle.set(CURLOPT_SSL_VERIFYHOST, tls.isVerified ? 2 : 0)
        guard let authorities = tls.authorities else { return }
        handle.set(CURLOPT_CAINFO, handle.file(authorities))
        handle.set(CURLOPT_CAPATH, nil)
    }

    private static let openSocket: curl_opensocket_callback = { _, _, peer in
        guard let peer, LoopbackAddress.isOf(peer.pointee.addr) else { return -1 }
        return socket(AF_INET, peer.pointee.socktype | SocketFlags.closeOnExec, peer.pointee.protocol)
    }
}

extension HTTPProbe {
    /// What is sent; with a method that always sends something, at least nothing.
    fileprivate var sentBody: String? {
        switch method {
        case .post, .put, .patch: body ?? ""
        case .get, .head, .delete, .options: body
        }
    }
}
