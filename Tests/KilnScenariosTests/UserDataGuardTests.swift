import Foundation
import KilnDocuments
import Testing

@testable import KilnScenarios

@Suite("The guard on user-data that formats")
struct UserDataGuardTests {
    private static let compressed = "content: H4sIAAAAAAAAA8tNNUorVtBPSS3TL0tJBgB6tWnTEAAAAA==, encoding: gz+b64"
    private static let encoded = Data("#!/bin/sh\nmke2fs /dev/vdc\n".utf8).base64EncodedString()

    @Test(
        "what formats a device is refused at the element that does it",
        arguments: [
            ("bootcmd: ['disk=/dev/vdc', 'mke2fs \"$disk\"']", "bootcmd[1]"),
            ("runcmd: [['sh', '-c', 'mke2fs \"$0\"', /dev/vdc]]", "runcmd[0]"),
            ("runcmd: ['for d in b c', 'do', 'mkfs.ext4 /dev/vd$d', 'done']", "runcmd[2]"),
            ("runcmd: [echo, [mkfs, -t, ext4, /dev/vdc]]", "runcmd[1]"),
            ("write_files: [{ path: /f, content: \"#!/bin/sh\\nmke2fs /dev/vdc\" }]", "write_files[0].content"),
            ("write_files: [{ path: /f.sh, content: 'mke2fs /dev/vdc' }]", "write_files[0].content"),
            ("write_files: [{ path: /f, content: '\(encoded)', encoding: base64 }]", "write_files[0].content"),
            (
                "write_files: [{ path: /f.service, content: 'ExecStart=-/sbin/mke2fs /dev/vdc' }]",
                "write_files[0].content"
            ),
            ("{ write_files: [{ path: /f, content: 'mke2fs $1' }], runcmd: [[sh, /f, /dev/vdc]] }", "runcmd[0]"),
            ("{ write_files: [{ path: /usr/bin/f, content: 'mke2fs $1' }], runcmd: [f /dev/vdc] }", "runcmd[0]"),
            (
                "write_files: [{ path: /etc/crypttab, content: 'swap /dev/vdc /dev/urandom swap,size=256' }]",
                "write_files[0].content"
            ),
            ("swap: { filename: /dev/vdc, size: auto }", "swap.filename"),
            (
                "lxd: { init: { storage_backend: btrfs, storage_create_device: /dev/vdc } }",
                "lxd.init.storage_create_device"
            ),
            ("random_seed: { command: [sh, -c, 'mke2fs /dev/vdc'] }", "random_seed.command"),
        ]
    )
    func refused(modules: String, place: String) throws {
        let checked = try Self.check(modules)
        #expect(checked.problems.map(\.path) == ["user-data.\(place)"], "\(checked.problems)")
        #expect(checked.problems.first?.message.contains("erases a persistent volume") ?? false)
    }

    @Test(
        "what can't be known is a warning, which refuses nothing",
        arguments: [
            "runcmd: ['mke2fs \"$(blkid -L data)\"']",
            "write_files: [{ path: /f, content: \"#!/bin/sh\\nmke2fs $1\" }]",
            "write_files: [{ path: /f, content: \"#!/usr/bin/python3\\nrun(['mke2fs', disk])\" }]",
            "write_files: [{ path: /f, \(compressed) }]",
            "runcmd: ['curl -fsSL https://example.org/x | sh']",
            "write_files: [{ path: /f, permissions: '0755', source: { uri: 'https://example.org/x' } }]",
            "{ write_files: [{ path: /f, source: { uri: 'https://example.org/x' } }], runcmd: [[sh, /f]] }",
            "write_files: [{ path: /etc/crypttab, content: 'swap PARTLABEL=swap /dev/urandom swap' }]",
        ]
    )
    func warned(modules: String) throws {
        let checked = try Self.check(modules)
        #expect(checked.problems.isEmpty && checked.warnings.count == 1, "\(checked.problems) \(checked.warnings)")
    }

    @Test(
        "what formats nothing passes without a word",
        arguments: [
            "runcmd: ['command -v mkfs.xfs >/dev/null || echo none >/root/note']",
            "runcmd: ['truncate -s 16M /root/i && mke2fs -F /root/i >/dev/null 2>&1']",
            "runcmd: [[mke2fs, $disk]]",
            "runcmd: [[echo, 5, 'true'], ~]",
            "write_files: [{ path: /etc/motd, content: 'Never mke2fs /dev/vdc' }, { path: /x }, 5]",
            "write_files: [{ path: /f, content: '%%%', encoding: b64 }]",
            "write_files: [{ path: /etc/app.conf, permissions: '0644', source: { uri: 'https://example.org/x' } }]",
            "write_files: [{ path: /etc/crypttab, content: 'data /dev/vdc none luks' }]",
            "swap: { filename: /swapfile, size: 256M }",
            "random_seed: { command: [sh, -c, 'dd if=/dev/urandom of=$RANDOM_SEED_FILE'] }",
        ]
    )
    func passed(modules: String) throws {
        let checked = try Self.check(modules)
        #expect(checked.problems.isEmpty && checked.warnings.isEmpty, "\(checked.problems) \(checked.warnings)")
    }

    @Test("a device in a preseed of lxd may be that of a pool, and is a warning")
    func preseed() throws {
        let pool = "lxd: { preseed: \"storage_pools:\\n- config:\\n    source: /dev/vdc\\n\" }"
        let lines = try Self.check(pool).warnings.filter { $0.path == "user-data.lxd.preseed" }
        #expect(lines.count == 1 && lines.first?.message.contains("'lxd' may format a device") ?? false, "\(lines)")
        let folder = try Self.check("lxd: { preseed: 'source: /srv/pool', init: { storage_backend: dir } }")
        #expect(folder.problems.isEmpty && folder.warnings.allSatisfy { !$0.message.contains("format") })
    }

    private static func check(_ modules: String) throws -> ProblemList {
        let problems = ProblemList(file: "lab.yaml")
        let text = modules.hasPrefix("{") ? modules : "{ \(modules) }"
        let root = try #require(YAMLDocument.root(of: text, problems))
        _ = UserDataDecoder(nil, nil).decode(Value(node: root, path: "user-data", problems: problems))
        return problems
    }
}
