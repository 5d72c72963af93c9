import Foundation
import KilnModel
import KilnStore
import KilnSystem
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnBakery

@Suite("Downloads", .timeLimit(.minutes(2)))
struct DownloadsTests {
    private let folder: TemporaryDirectory
    private let content = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }

    init() throws { folder = try TemporaryDirectory() }

    private var downloads: Downloads { downloads(DownloadLimits(largest: .mebibytes(1), patience: 2)) }

    private func downloads(
        _ limits: DownloadLimits,
        tell: @escaping @Sendable (String) -> Void = { _ in }
    ) -> Downloads {
        Downloads(of: ImageStore(root: folder.path), limits: limits, tell: tell)
    }

    private func checksum(_ bytes: [UInt8]) throws -> Checksum? { Checksum(try FileDigest.sha256(Data(bytes)).hex) }

    private func url(_ server: TestServer, _ path: String = "/disk.qcow2") throws -> DownloadURL {
        try DownloadURL("http://127.0.0.1:\(server.port)\(path)")
    }

    /// Downloads what is to have the checksum of some bytes.
    private func fetch(_ url: DownloadURL, expecting bytes: [UInt8]) async throws -> [UInt8] {
        let file = try await downloads.file(at: url, checksums: [try #require(try checksum(bytes))], list: nil)
        return Array(try #require(FileManager.default.contents(atPath: file.path)))
    }

    private func code(_ work: () async throws -> Void) async -> ErrorCode? {
        do {
            try await work()
            return nil
        } catch { return (error as? KilnError)?.code }
    }

    /// The endings of the files that are kept.
    private var kept: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/downloads")) ?? []
        return names.map { ($0 as NSString).pathExtension }.filter { $0 != "lock" }.sorted()
    }

    @Test("a file is downloaded once, and what was downloaded is compared again")
    func once() async throws {
        let server = try TestServer { [content] in FileServer(content: content).answer($0) }
        let url = try url(server)
        #expect(try await fetch(url, expecting: content) == content)
        #expect(try await fetch(url, expecting: content) == content)
        #expect(server.requests.count == 1)
        #expect(kept == ["file", "json"])
        let key = try url.key
        try Data([1]).write(to: URL(fileURLWithPath: "\(folder.path)/downloads/\(key).file"))
        #expect(try await fetch(url, expecting: content) == content)
        #expect(server.requests.count == 2)
    }

    @Test("what is not what its checksum says is dropped, and nothing is made of it")
    func mismatch() async throws {
        let server = try TestServer { [content] in FileServer(content: content).answer($0) }
        let url = try url(server)
        #expect(await code { _ = try await fetch(url, expecting: [1]) } == .checksumMismatch)
        #expect(kept.isEmpty)
    }

    @Test("a download that broke off goes on where it stopped, where the file is still the same")
    func resumed() async throws {
        let calls = Mutex(0)
        let server = try TestServer { [content] peer in
            let isFirst = calls.withLock { calls in
                calls += 1
                return calls == 1
            }
            FileServer(content: content, sends: isFirst ? 90_000 : nil).answer(peer)
        }
        let url = try url(server)
        #expect(await code { _ = try await fetch(url, expecting: content) } == .downloadFailed)
        #expect(kept == ["headers", "part"])
        #expect(try await fetch(url, expecting: content) == content)
        #expect(server.requests[1].contains("Range: bytes=90000-\r\n"))
        #expect(server.requests[1].contains("If-Range: \"1\"\r\n"))
        #expect(kept == ["file", "json"])
    }

    @Test(
        "of a file that has changed nothing old is kept, whether its server has ranges, heeds them, or lies",
        arguments: [(true, true, 2), (false, true, 2), (true, false, 3)]
    )
    func changed(ranges: Bool, heedsTag: Bool, requests: Int) async throws {
        let calls = Mutex(0)
        let new = content.map { $0 ^ 1 }
        let server = try TestServer { [content] peer in
            let isFirst = calls.withLock { calls in
                calls += 1
                return calls == 1
            }
            let server =
                isFirst
                ? FileServer(content: content, sends: 90_000)
                : FileServer(content: new, tag: "\"2\"", ranges: ranges, heedsTag: heedsTag)
            server.answer(peer)
        }
        let url = try url(server)
        #expect(await code { _ = try await fetch(url, expecting: new) } == .downloadFailed)
        #expect(try await fetch(url, expecting: new) == new)
        #expect(server.requests.count == requests)
    }

    @Test("what nobody can tell from another file is begun anew")
    func noValidator() async throws {
        let calls = Mutex(0)
        let server = try TestServer { [content] peer in
            let isFirst = calls.withLock { calls in
                calls += 1
                return calls == 1
            }
            FileServer(content: content, tag: isFirst ? "W/\"1\"" : nil, sends: isFirst ? 90_000 : nil).answer(peer)
        }
        let url = try url(server)
        #expect(await code { _ = try await fetch(url, expecting: content) } == .downloadFailed)
        #expect(try await fetch(url, expecting: content) == content)
        #expect(!server.requests[1].contains("Range:"))
    }

    @Test("a server may lead to another address of http, and to nothing else")
    func redirected() async throws {
        let server = try TestServer { [content] peer in
            switch peer.path {
            case "/latest/disk.qcow2": peer.redirect(to: "../dated/disk.qcow2")
            case "/file": peer.redirect(to: "file:///etc/passwd")
            case "/ftp": peer.redirect(to: "ftp://127.0.0.1/disk")
            case "/secret": peer.redirect(to: "http://user:password@127.0.0.1/disk")
            case "/loop": peer.redirect(to: "/loop")
            case "/nowhere": peer.send("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            default: FileServer(content: content).answer(peer)
            }
        }
        #expect(try await fetch(url(server, "/latest/disk.qcow2"), expecting: content) == content)
        for path in ["/file", "/ftp", "/secret", "/loop"] {
            #expect(
                await code { _ = try await fetch(url(server, path), expecting: content) } == .downloadRedirected,
                "\(path)"
            )
        }
        #expect(server.requests.filter { $0.contains("/loop") }.count == 11)
        #expect(await code { _ = try await fetch(url(server, "/nowhere"), expecting: content) } == .downloadRefused)
        #expect(kept == ["file", "json"])
    }

    @Test("nobody is led from https to http")
    func downgrade() throws {
        let transfer = Transfer(url: try DownloadURL("http://a.example/x"), place: folder.path + "/x")
        let secure = try DownloadURL("https://a.example/x")
        #expect(throws: KilnError.self) { try transfer.followed("http://a.example/x", from: secure) }
        #expect(try transfer.followed("https://b.example/x", from: secure).text == "https://b.example/x")
        #expect(try transfer.followed("https://a.example/x", from: transfer.url) == secure)
        #expect(try transfer.followed("http://b.example/x", from: transfer.url).text == "http://b.example/x")
    }

    @Test("more than a limit is not downloaded, whether the server says so before or never ends")
    func tooLarge() async throws {
        let server = try TestServer { peer in
            guard peer.path == "/endless" else {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\n")
                return
            }
            peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            while peer.send([UInt8](repeating: 7, count: 65_536)) {}
        }
        for path in ["/endless", "/large"] {
            #expect(
                await code { _ = try await fetch(url(server, path), expecting: []) } == .downloadTooLarge,
                "\(path)"
            )
        }
        let sizes = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/downloads").map {
            DownloadedFile.size("\(folder.path)/downloads/\($0)") ?? 0
        }
        #expect(sizes.allSatisfy { $0 <= 1 << 20 })
    }

    @Test("who sends a byte a second, or nothing at all, is given up")
    func stalled() async throws {
        let server = try TestServer { peer in
            guard peer.path == "/slow" else { return _ = peer.waitForEnd() }
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while peer.send("x") { sleep(1) }
        }
        for path in ["/slow", "/silent"] {
            let start = ContinuousClock.now
            let error = await #expect(throws: KilnError.self) { try await fetch(url(server, path), expecting: []) }
            #expect(error?.code == .downloadStalled && error?.exit == .deadline, "\(path)")
            #expect(ContinuousClock.now - start < .seconds(60))
        }
    }

    @Test(
        "an error of the server is told with its status, and its page is no file; a page with status 200 is called one"
    )
    func pages() async throws {
        let page = "<!DOCTYPE html><title>Not here</title>"
        let server = try TestServer { peer in
            guard peer.path == "/gone" else { return FileServer(content: Array(page.utf8)).answer(peer) }
            peer.send(
                "HTTP/1.1 404 Not Found\r\nContent-Length: \(page.utf8.count)\r\nConnection: close\r\n\r\n\(page)"
            )
        }
        let gone = await #expect(throws: KilnError.self) { try await fetch(url(server, "/gone"), expecting: content) }
        #expect(gone?.code == .downloadRefused && gone?.message.contains("404") == true)
        #expect(kept.isEmpty)
        let portal = await #expect(throws: KilnError.self) { try await fetch(url(server, "/x"), expecting: content) }
        #expect(portal?.code == .checksumMismatch && portal?.message.contains("page for browsers") == true)
    }

    @Test("nobody listens: the address and the cause are named")
    func unreachable() async throws {
        let port = try Listener().port
        let error = await #expect(throws: KilnError.self) {
            try await fetch(DownloadURL("http://127.0.0.1:\(port)/disk.qcow2"), expecting: content)
        }
        #expect(error?.code == .downloadFailed && error?.cause != nil)
        #expect(error?.message.contains("http://127.0.0.1:\(port)/disk.qcow2") == true)
    }

    @Test("offline only what was downloaded is used, as long as it is what it was")
    func offline() async throws {
        let expected = try #require(try checksum(content))
        let server = try TestServer { [content] in FileServer(content: content).answer($0) }
        let (url, list) = (try url(server), try self.url(server, "/SHA512SUMS"))
        #expect(
            await code { _ = try await downloads.knownFile(at: url, checksums: [], list: nil) } == .downloadMissing
        )
        _ = try await downloads.file(at: url, checksums: [expected], list: list)
        let asked = server.requests.count
        let path = try await downloads.knownFile(at: url, checksums: [expected], list: list).path
        #expect(FileManager.default.contents(atPath: path) == Data(content))
        let other = try #require(try checksum([1]))
        #expect(
            await code { _ = try await downloads.knownFile(at: url, checksums: [other], list: nil) }
                == .checksumMismatch
        )
        let elsewhere = try self.url(server, "/OTHERSUMS")
        #expect(
            await code { _ = try await downloads.knownFile(at: url, checksums: [], list: elsewhere) }
                == .downloadMissing
        )
        try Data([1]).write(to: URL(fileURLWithPath: path))
        #expect(
            await code { _ = try await downloads.knownFile(at: url, checksums: [], list: nil) } == .checksumMismatch
        )
        #expect(server.requests.count == asked)
    }

    @Test("two cannot download the same at once")
    func locked() async throws {
        let server = try TestServer { [content] in FileServer(content: content).answer($0) }
        let url = try url(server)
        let file = try await downloads.file(at: url, checksums: [try #require(try checksum(content))], list: nil)
        #expect(await code { _ = try await fetch(url, expecting: content) } == .lockHeld)
        withExtendedLifetime(file) {}
    }

    @Test("how far it is is told with its share")
    func progress() async throws {
        let told = Mutex<[String]>([])
        let server = try TestServer { [content] peer in
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(content.count)\r\nConnection: close\r\n\r\n")
            peer.send(Array(content[..<100_000]))
            sleep(2)
            peer.send(Array(content[100_000...]))
        }
        let limits = DownloadLimits(largest: .mebibytes(1), patience: 10)
        let downloads = downloads(limits) { line in told.withLock { $0.append(line) } }
        let checksums = [try #require(try checksum(content))]
        _ = try await downloads.file(at: try url(server), checksums: checksums, list: nil)
        // How much is written by then is the host's business.
        let lines = told.withLock { $0 }
        #expect(lines.first?.wholeMatch(of: /disk.qcow2: \d+ KiB of 195 KiB, \d+ %/) != nil, "\(lines)")
    }
}
