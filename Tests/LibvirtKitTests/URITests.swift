import Testing

@testable import LibvirtKit

@Suite("connection URIs")
struct URITests {
    @Test(
        "local URIs are accepted",
        arguments: [
            "qemu:///system", "qemu:///session", "qemu+unix:///session",
            "qemu+unix:///session?socket=/run/a%20b/s.sock",
            "qemu:///embed?root=/var/lib/x", "test:///default", "test:///tmp/node.xml",
        ]
    )
    func accepted(uri: String) throws {
        #expect(try LibvirtURI(validating: uri).text == uri)
    }

    @Test(
        "whatever could run a program, leave the host or confuse a parser is refused",
        arguments: [
            "", "qemu", "qemu:", "/session", "xen:///system", "lxc:///system", "qemu+ssh://host/system",
            "qemu+ssh:///system",
            "qemu+ext:///session?command=/bin/sh", "qemu+libssh2:///system", "qemu+tcp:///system",
            "qemu+unix:///session?command=/bin/sh", "qemu+unix:///session?socket=/s&netcat=/bin/sh",
            "qemu+unix:///session?socket=/s;command=/bin/sh", "qemu+unix:///session?%63ommand=/bin/sh",
            "qemu+unix:///session?socket=/a&socket=/b", "qemu+unix:///session?socket=s", "qemu+unix:///session?socket",
            "qemu+unix:///session?socket=/a%00b", "qemu+unix:///session?root=/x", "qemu+unix://host/session?socket=/s",
            "qemu+unix:///session#x", "qemu:///session?socket=/s", "qemu:///embed", "qemu:///embed?root=x",
            "qemu://user@/system", "QEMU:///system", "qemu:///system\n", "test:///etc/passwd", "test://host/node.xml",
        ]
    )
    func refused(uri: String) {
        let error = #expect(throws: LibvirtError.self) { try LibvirtURI(validating: uri) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.origin == .uri)
    }

    @Test("a refused URI never reaches libvirt")
    func open() async {
        let error = await #expect(throws: LibvirtError.self) {
            try await LibvirtConnection.open("qemu+ext:///session?command=/bin/false")
        }
        #expect(error?.origin == .uri)
    }
}
