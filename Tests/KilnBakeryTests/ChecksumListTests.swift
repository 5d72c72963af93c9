import KilnModel
import KilnTestSupport
import Testing

@testable import KilnBakery

@Suite("Lists of checksums")
struct ChecksumListTests {
    private static let short = String(repeating: "0123456789abcdef", count: 4)
    private static let long = String(repeating: "0123456789abcdef", count: 8)
    private static let other = String(repeating: "f", count: 64)

    private func found(_ text: String, _ name: String = "disk.qcow2") throws -> String {
        try ChecksumList(text).checksum(of: name, source: "SUMS").hex
    }

    private func code(_ text: String, _ name: String = "disk.qcow2") -> ErrorCode? {
        do {
            _ = try found(text, name)
            return nil
        } catch { return (error as? KilnError)?.code }
    }

    @Test(
        "every form in which publishers write them is read",
        arguments: [
            "\(short)  disk.qcow2", "\(short) *disk.qcow2", "\(short)\tdisk.qcow2\r", "\(short)  ./disk.qcow2",
            "\(short)  images/x/disk.qcow2", "SHA256 (disk.qcow2) = \(short)", "SHA256(disk.qcow2)= \(short)",
            "SHA2-256(disk.qcow2)= \(short)", "sha256 (./images/disk.qcow2) = \(short)",
            "\(short.uppercased())  disk.qcow2",
            "# disk.qcow2: 12 bytes\nSHA256 (disk.qcow2) = \(short)\n", short, "\(short)\n",
            "\(short)  -\n\(short)  disk.qcow2",
            "\\\(short)  disk.qcow2", "d41d8cd98f00b204e9800998ecf8427e  disk.qcow2\n\(short)  disk.qcow2",
        ]
    )
    func forms(text: String) throws { #expect(try found(text) == Self.short) }

    @Test("the entry of the file's name is taken, and of two functions the longer one")
    func chosen() throws {
        let list = "\(Self.other)  disk.qcow2.xz\n\(Self.short)  disk.qcow2\n\(Self.other)  a/b.qcow2\n"
        #expect(try found(list) == Self.short)
        #expect(try found(list, "b.qcow2") == Self.other)
        #expect(try found(list + "\(Self.long)  disk.qcow2") == Self.long)
        // One that is at the top goes before one in a folder.
        #expect(try found("\(Self.other)  old/disk.qcow2\n\(Self.short)  disk.qcow2") == Self.short)
        #expect(code("\(Self.other)  old/disk.qcow2\n\(Self.short)  new/disk.qcow2") == .checksumAmbiguous)
        #expect(code("\(Self.other)  disk.qcow2\n\(Self.short)  disk.qcow2") == .checksumAmbiguous)
    }

    @Test("of a signed list only what the signature covers counts")
    func signed() throws {
        let text = """
            \(Self.other)  disk.qcow2
            -----BEGIN PGP SIGNED MESSAGE-----
            Hash: SHA256

            # disk.qcow2: 12 bytes
            SHA256 (disk.qcow2) = \(Self.short)
            - \(Self.other)  escaped.qcow2
            -----BEGIN PGP SIGNATURE-----

            iQIzBAEBCAAdFiEE
            -----END PGP SIGNATURE-----
            \(Self.other)  disk.qcow2
            \(Self.other)  late.qcow2
            """
        #expect(ChecksumList(text).isSigned && !ChecksumList(Self.short).isSigned)
        #expect(try found(text) == Self.short)
        #expect(try found(text, "escaped.qcow2") == Self.other)
        #expect(code(text, "late.qcow2") == .checksumMissing)
    }

    @Test("a list without the file names what it has, made safe to print")
    func missing() {
        let list = "\(Self.short)  a\u{1b}[2J.qcow2\n" + (1...20).map { "\(Self.other)  file-\($0)\n" }.joined()
        let error = #expect(throws: KilnError.self) { try found(list) }
        #expect(error?.code == .checksumMissing)
        #expect(error?.message.contains("'file-3'") == true && error?.message.contains("and 9 more") == true)
        #expect(error?.message.contains("\u{1b}") == false)
        for text in [
            "", "<html>\(Self.short)</html>", "\(Self.short)xyz  disk.qcow2", "MD5 (disk.qcow2) = \(Self.short)",
        ] {
            #expect(code(text) == .checksumMissing)
        }
        // Without names nobody knows which of them it is.
        #expect(code("\(Self.short)\n\(Self.other)\n") == .checksumMissing)
    }

    @Test("a checksum is what its number of digits says, in either case")
    func checksums() throws {
        #expect(Checksum(Self.short)?.algorithm == .sha256 && Checksum(Self.long)?.algorithm == .sha512)
        #expect(Checksum(Self.short.uppercased())?.hex == Self.short)
        for text in ["", "12", Self.short + "0", String(repeating: "g", count: 64), String(repeating: "٣", count: 32)] {
            #expect(Checksum(text) == nil)
        }
        let error = #expect(throws: KilnError.self) { try Checksum(.sha512, Self.short) }
        #expect(error?.code == .checksumInvalid && error?.exit == .usage)
        #expect(Checksum(written: "sha256:\(Self.short)") == Checksum(Self.short))
        #expect(Checksum(written: "sha512:\(Self.short)") == nil)
    }
}

@Suite("Addresses of downloads")
struct DownloadURLTests {
    @Test(
        "an address is of http or https, has a host, and nothing in it that others could take for something else",
        arguments: [
            "ftp://a.example/x", "file:///etc/passwd", "HTTPS//a.example", "http://", "http:///x", "https://:443/x",
            "https://user:pw@a.example/x", "https://a.example/a b", "https://a.example/\"", "https://a.example/a\nb",
            "https://a.example/ä", "https://a.example/{a,b}", "https://a.example/\\x", "scp://a/x",
            "https://a.example/" + String(repeating: "a", count: 2000),
        ]
    )
    func refused(text: String) {
        let error = #expect(throws: KilnError.self) { try DownloadURL(text) }
        #expect(error?.code == .downloadURLRefused && error?.exit == .usage)
    }

    @Test("the name of its file and of what lies beside it are known; its query is not shown")
    func parts() throws {
        let url = try DownloadURL("HTTPS://a.example:8443/x%20y/disk%2B1.qcow2?token=secret")
        #expect(url.fileName == "disk+1.qcow2" && url.isSecure)
        #expect(try url.beside("SHA512SUMS").text == "HTTPS://a.example:8443/x%20y/SHA512SUMS")
        #expect(!url.description.contains("secret"))
        let bare = try DownloadURL("http://[::1]:80")
        #expect(bare.fileName.isEmpty && !bare.isSecure)
        #expect(try bare.beside("S").text == "http://[::1]:80/S")
    }

    @Test("what has a scheme is an address, and all else a path")
    func places() throws {
        #expect(try DiskSource.Place("a/b.qcow2") == .file("a/b.qcow2"))
        #expect(try DiskSource.Place("./http:x") == .file("./http:x"))
        #expect(try DiskSource.Place("https://a.example/b").url != nil)
        #expect(throws: KilnError.self) { try DiskSource.Place("nbd://a.example/b") }
    }

    @Test("of several answers the last counts, and odd ones say nothing")
    func headers() throws {
        let text =
            "HTTP/1.1 200 Connection established\r\n\r\nHTTP/2 206 \r\ncontent-range: bytes 5-9/10\r\nETag: \"a\"\r\n\r\n"
        let answer = try #require(AnswerHeaders(text))
        #expect(answer.status == 206 && answer.total == 10 && answer.range?.start == 5 && answer.validator == "\"a\"")
        #expect(AnswerHeaders("") == nil && AnswerHeaders("hello: x") == nil)
        let odd = try #require(
            AnswerHeaders(
                "HTTP/1.1 200 OK\nContent-Length: -1\nETag: W/\"x\"\nLast-Modified: a\u{7}b\nContent-Range: bytes */9\n"
            )
        )
        #expect(odd.total == nil && odd.validator == nil && odd.range == nil)
    }
}
