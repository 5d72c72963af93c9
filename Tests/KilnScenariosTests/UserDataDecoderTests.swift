import Foundation
import KilnDocuments
import KilnModel
import Testing

@testable import KilnScenarios

@Suite("User-data of every form")
struct UserDataDecoderTests {
    private static func image(_ cloudInit: ImageManifest.CloudInit) throws -> ImageManifest {
        ImageManifest(
            name: try Name("tiny"),
            version: "1",
            digest: try #require(ImageDigest(String(repeating: "a", count: 64))),
            virtualSize: .mebibytes(1),
            boot: .direct(commandLine: ""),
            cloudInit: cloudInit,
            cloudInitModules: cloudInit == .full ? ["runcmd"] : nil,
            ssh: false,
            size: MachineSize(memory: .mebibytes(1), processors: 1)
        )
    }

    private static func message(_ type: String, _ content: String, encoding: String = "7bit") -> String {
        """
        Content-Type: multipart/mixed; boundary="=="
        MIME-Version: 1.0

        --==
        Content-Type: \(type)
        Content-Transfer-Encoding: \(encoding)

        \(content)
        --==--
        """
    }

    /// A lab whose server has its user-data from a file of these bytes.
    private func lab(
        _ bytes: [UInt8],
        _ fields: String = "",
        image: ImageManifest? = nil
    ) throws -> (lab: LabFile?, problems: [String]) {
        try withFolder { folder in
            try Data(bytes).write(to: folder.appending(path: "user.data"))
            let text = scenario(server: fields + "\nuser-data-file: user.data")
            let file = folder.appending(path: "lab.yaml")
            try Data(text.utf8).write(to: file)
            do throws(InvalidFile) {
                return (try ScenarioFile.lab(at: file.path) { _ in image }, [])
            } catch {
                return (nil, error.problems.map { $0.description.replacing(folder.path + "/", with: "") })
            }
        }
    }

    private func lab(_ text: String, _ fields: String = "") throws -> (lab: LabFile?, problems: [String]) {
        try lab(Array(text.utf8), fields)
    }

    @Test(
        "a document is taken as it is, also from within the file",
        arguments: [
            "#!/bin/sh\necho \u{85}\t end \n\n", "## template: jinja\n#cloud-config\nhostname: {{ v1.instance_id }}\n",
            message("text/x-shellscript", "#!/bin/sh\ntrue"), "#cloud-boothook\n#!/bin/sh\ntrue\n",
            "#cloud-config-archive\n- { type: text/cloud-config, content: 'timezone: UTC' }\n",
        ]
    )
    func taken(text: String) throws {
        let found = try lab(text)
        let server = try #require(found.lab?.lab.servers.values.first, "\(found.problems)")
        #expect(server.userDataDocument?.text == text && server.userData == nil)
        let quoted = String(decoding: try JSONEncoder().encode(text), as: UTF8.self).replacing("\\/", with: "/")
        let inner = try read(scenario(server: "user-data: \(quoted)")).lab.servers.values.first
        #expect(inner == server)
    }

    @Test("a cloud-config in a file is the map it holds, with problems at their own places")
    func config() throws {
        #expect(try lab("#cloud-config\nruncmd: [id]\n").lab?.lab.servers.values.first?.userData == ["runcmd": ["id"]])
        let found = try lab("#cloud-config\nruncmd:\n  - yes\nfs_setup: []\n").problems
        #expect(found.count == 2)
        #expect(found.first?.hasPrefix("user.data:3:5: runcmd[0]: expected a command: text") == true, "\(found)")
        #expect(found.last?.hasPrefix("user.data:4:1: fs_setup: not allowed") == true, "\(found)")
    }

    @Test("a mount that the subset does not do is named, and one at a path is not")
    func mounts() throws {
        let text = "#cloud-config\nmounts:\n  - [/dev/vdd, none, swap]\n  - [/dev/vde, /srv]\n  - [/dev/vdf, null]\n"
        let subset = try #require(try lab(Array(text.utf8), image: Self.image(.subset)).lab)
        let told = subset.warnings.filter { $0.message.contains("mounts at paths only") }
        #expect(told.map(\.position.line) == [3])
        let full = try #require(try lab(Array(text.utf8), image: Self.image(.full)).lab)
        #expect(!full.warnings.contains { $0.message.contains("mounts at paths only") })
    }

    @Test("packed user-data stays packed, with a warning that it can't be judged")
    func packed() throws {
        let bytes: [UInt8] = [0x1f, 0x8b, 0x08, 0xff, 0x00]
        let found = try #require(try lab(bytes).lab)
        #expect(found.lab.servers.values.first?.userDataDocument?.bytes == bytes)
        #expect(found.warnings.contains { $0.message.contains("compressed") })
    }

    @Test(
        "what can't be user-data is refused at its place",
        arguments: [
            (Array("#!/bin/sh\necho \0".utf8), "user.data:2:6: expected text without NUL characters"),
            ([0x23, 0x21, 0x0a, 0xe9], "user.data:2:1: expected UTF-8 text, found the byte 0xe9"),
            (Array("echo\n".utf8), "user.data:1:1: expected text that starts with"),
            (Array("\u{feff}#!/bin/sh\n".utf8), "behind a byte order mark"),
            (Array("#!/bin/sh\necho 'MIME-Version: 1.0' | mail".utf8), "takes a script for a MIME message"),
            ([UInt8](repeating: 0x23, count: 10 << 20), "user.data:1:1: expected at most 1 MiB, found 10485760 bytes"),
            (Array("#cloud-config\nruncmd: {}\n".utf8), "runcmd: expected a list of commands"),
            (Array("MIME-Version: 1.0\nContent-Type: multipart/mixed\n\n".utf8), "whose parts can be told"),
        ]
    )
    func refused(bytes: [UInt8], message: String) throws {
        let found = try lab(bytes)
        #expect(found.lab == nil && found.problems.contains { $0.contains(message) }, "\(found.problems)")
    }

    @Test("a file that is missing, elsewhere or not alone is refused")
    func files() throws {
        #expect(try problems(scenario(server: "user-data-file: nowhere")).contains { $0.contains("can't be read") })
        #expect(
            try problems(scenario(server: "user-data-file: /etc/motd")).contains { $0.contains("relative to this") }
        )
        #expect(try lab("#!/bin/sh\n", "user-data: { a: 1 }").problems.contains { $0.contains("found both") })
    }

    @Test(
        "what formats a device is refused in whatever part it stands",
        arguments: [
            "#!/bin/sh\nmke2fs /dev/vdc\n", "#cloud-boothook\n#!/bin/sh\nmke2fs /dev/vdc\n",
            message("text/x-shellscript", "#!/bin/sh\nmke2fs /dev/vdc"),
            message("text/plain", "#!/bin/sh\nmke2fs =\n/dev/vdc", encoding: "quoted-printable"),
            message(
                "text/cloud-config",
                Data("runcmd: [mke2fs /dev/vdc]".utf8).base64EncodedString(),
                encoding: "base64"
            ),
            message("multipart/mixed; boundary=x", "--x\n\n#!/bin/sh\nmke2fs /dev/vdc\n--x--"),
            message("text/cloud-config", "#cloud-config\ndisk_setup: {}"),
            "## template: jinja\n#!/bin/sh\nmke2fs /dev/vdc\n",
            "#cloud-config-archive\n- \"#!/bin/sh\\nmke2fs /dev/vdc\"\n",
        ]
    )
    func formats(text: String) throws {
        let found = try lab(text.replacing("\n", with: "\r\n")).problems
        #expect(found.contains { $0.contains("erases a persistent volume") }, "\(found)")
        #expect(try !lab(text).problems.isEmpty)
    }

    @Test("characters that cloud-init loses in a part of a message are a warning, unless they are encoded")
    func rawParts() throws {
        let raw = try #require(try lab(Self.message("text/x-shellscript", "#!/bin/sh\necho é", encoding: "8bit")).lab)
        #expect(raw.warnings.contains { $0.message.contains("beyond ASCII") })
        let encoded = Data("#!/bin/sh\necho é".utf8).base64EncodedString()
        let kept = try #require(try lab(Self.message("text/x-shellscript", encoded, encoding: "base64")).lab)
        #expect(kept.warnings.isEmpty)
    }

    @Test("a part may not turn off what Kiln adds, nor take its place")
    func own() throws {
        let off = try lab(Self.message("text/cloud-config", "vendor_data: { enabled: false }")).problems
        #expect(off.contains { $0.contains("travel in vendor-data") }, "\(off)")
        let keys = try lab(Self.message("text/cloud-config", "ssh_keys: { ed25519_private: x }")).problems
        #expect(keys.contains { $0.contains("host key") }, "\(keys)")
    }

    @Test("references in a document are checked, and it may not mount what a warm-first replacement does")
    func references() throws {
        let found = try lab("#!/bin/sh\necho ${servers.web.ports.nope}\n").problems
        #expect(found.contains { $0.hasPrefix("user.data:1:1: expected the name of a port") }, "\(found)")
        let warm = try lab("#!/bin/sh\nmount /dev/vdb /data\n", "volumes: { data: /data }\nstrategy: warm-first")
            .problems
        #expect(warm.contains { $0.contains("warm-first") }, "\(warm)")
    }

    @Test("what the image does not do is a warning at the key, and another form than it reads is refused")
    func image() throws {
        let text = "#cloud-config\nruncmd: [id]\npackages: [tree]\nwrite_files: [{ path: /a, source: x }]\n"
        let full = try lab(Array(text.utf8), image: try Self.image(.full)).lab?.warnings.map(\.description) ?? []
        #expect(
            full.count == 2 && full.first?.contains("user.data:3:1: packages: the image tiny does not") == true,
            "\(full)"
        )
        let subset = try lab(Array(text.utf8), image: try Self.image(.subset)).lab?.warnings.map(\.path)
        #expect(subset == ["packages", "write_files[0].source"])
        let refused = try lab(Array("#!/bin/sh\n".utf8), image: try Self.image(.subset))
        #expect(
            refused.problems.contains { $0.contains("reads a cloud-config and not a script") },
            "\(refused.problems)"
        )
        let document = Self.message("text/cloud-config", "packages: [tree]")
        let keys = try lab(Array(document.utf8), image: try Self.image(.full)).lab
        #expect(keys?.lab.servers.values.first?.userDataKeys == ["packages"] && keys?.warnings.count == 1)
    }

    @Test(
        "a word of a command that would become another one is named",
        arguments: [
            ("[[echo, yes]]", "in quotes, found the boolean yes"), ("[true]", "found the boolean true"),
            ("[7]", "found the number 7"), ("[{ echo: x }]", "found a map"), ("[[[a]]]", "found a list"),
            ("'id'", "expected a list of commands"),
        ]
    )
    func commands(list: String, message: String) throws {
        for key in ["runcmd", "bootcmd"] {
            let found = try problems(scenario(server: "user-data: { \(key): \(list) }"))
            #expect(found.contains { $0.contains(message) }, "\(found)")
        }
    }

    @Test("digits that YAML reads as another number are a warning, and content that is no text is refused")
    func values() throws {
        let warnings = try read(scenario(server: "user-data: { runcmd: [[chmod, 0644, /a]] }")).warnings
        #expect(warnings.first?.message.contains("as the number 420") == true)
        let found = try problems(scenario(server: "user-data: { write_files: [{ path: /a, content: no }] }"))
        #expect(found.contains { $0.contains("content: expected text, found the boolean no") }, "\(found)")
    }
}
