import Testing

@testable import KilnScenarios

@Suite("The guard on scripts that format")
struct ShellRunTests {
    @Test(
        "a script that formats a device is found, however it is written",
        arguments: [
            "mkfs.ext4 /dev/vdc",
            "su -c 'mkfs.ext4 -F /dev/vdc'",
            "su root -c \"mke2fs /dev/vdc\"",
            "flock /run/lock -c 'mke2fs /dev/vdc'",
            "bash -o errexit -c 'mkfs.ext4 -F /dev/vdc'",
            "bash -euxo pipefail -c 'mke2fs /dev/vdc'",
            "cat <<'EOF' | tee /usr/local/bin/x\nmkfs.ext4 /dev/vdc\nEOF\nsh /usr/local/bin/x",
            "disk=/dev/vdc\nmke2fs \"$disk\"",
            "test -e /x || /sbin/mke2fs /dev/vdb",
            "m=mk; f=e2fs; $m$f /dev/vdc",
            "sh -c 'mke2fs /dev/vdc'",
            "sh -ec \"mke2fs \\$1\" x /dev/vdc",
            "mke2fs \\\n  -q \\\n /dev/vdc",
            "'mke2fs' '-q' '/dev/vdc'",
            "mke2fs $(readlink -f /dev/vdc)",
            "mke2fs `echo /dev/vdc`",
            "for d in /dev/vdb /dev/vdc; do mkfs.ext4 $d; done",
            "for d in b c; do mkfs.ext4 /dev/vd$d; done",
            "sh <<EOF\nmke2fs /dev/vdc\nEOF\n",
            "sh <<'EOF'\nmke2fs /dev/vdc\nEOF\n",
            "cat >/root/a.sh <<'EOF'\nmke2fs /dev/vdc\nEOF\nsh /root/a.sh",
            "echo 'mke2fs /dev/vdc' | sh",
            "echo mke2fs /dev/vdc | sh",
            "echo /dev/vdc | xargs mke2fs",
            "echo /dev/vdc | while read d; do mke2fs $d; done",
            "f() { mke2fs \"$1\"; }\nf /dev/vdc",
            "d=/root/x; [ -b /dev/vdc ] && d=/dev/vdc; mkfs.ext4 $d",
            "if a; then d=/dev/vdc; else d=/root/img; fi; mkfs.ext4 $d",
            "mke2fs ${disk:-/dev/vdc}",
            "disk=/dev/vdc1; mkfs.ext4 ${disk%1}",
            "dd if=/dev/zero of=/dev/vdc bs=1M count=1",
            "cat /dev/zero > /dev/vdc",
            "wipefs -a /dev/vdc",
            "wipefs -af /dev/vdc",
            "blkdiscard /dev/vdc",
            "parted -s /dev/vdc mklabel gpt",
            "sgdisk -Z /dev/vdc",
            "sgdisk -p -Z /dev/vdc",
            "echo ,, | sfdisk /dev/vdc",
            "sudo -n mke2fs /dev/vdc",
            "nice -n 5 busybox mke2fs /dev/vdc",
            "timeout 5 sudo mkfs.xfs -f /dev/vdc",
            "env d=/dev/vdc sh -c 'mke2fs $d'",
            "eval 'mke2fs /dev/vdc'",
            "find /dev -name vdc -exec mke2fs {} \\;",
            "ln -s /dev/vdc /root/d; mke2fs /root/d",
            "cd /dev && mke2fs vdc",
            "mke2fs //dev/./vdc",
            "mke2fs /root/../dev/vdc",
            "echo 'it''s # no comment'; mke2fs /dev/vdc",
            "tool=$(command -v mke2fs); $tool /dev/vdc",
            "case $x in a|b) mke2fs /dev/vdc;; mkfs) echo;; esac",
            "set -- -F /dev/vdc; mke2fs \"$@\"",
            "args='-F /dev/vdc'; mke2fs $args",
            "cmd='mke2fs -F'; $cmd /dev/vdc",
            "diff <(mke2fs /dev/vdc) x",
            "x=$((1 + (2 * 3))); mke2fs /dev/vdc",
            "x=$(echo \")\"); mke2fs /dev/vdc",
            "blkid /dev/vdc || mkfs -t ext4 /dev/vdc",
            "tar czf - /data | tee /dev/vdc",
            "cp /root/img /dev/vdc",
            "cryptsetup luksFormat -q /dev/vdc k",
            "PATH=/sbin:$PATH mke2fs /dev/vdc",
            "a=/dev; mke2fs $a/vdc",
            "echo ok; } mke2fs /dev/vdc",
            "printf 'mke2fs %s\\n' /dev/vdc | sh",
            "d=vdc\nmkfs.ext4 /dev/disk/by-label/${d}",
            "bcachefs format /dev/vdc",
            "btrfs device add -f /dev/vdc /srv",
            "sudo btrfs dev add /dev/vdc /srv",
            "btrfs replace start -f 1 /dev/vdc /srv",
            "curl -o /root/x http://a/x; sh /root/x; mke2fs /dev/vdc",
        ]
    )
    func formats(script: String) {
        let findings = ShellRun.findings(of: script)
        #expect(findings.contains { $0.device != nil }, "\(findings)")
    }

    @Test(
        "where only the running script knows the device, that is said",
        arguments: [
            "mke2fs $(blkid -L data)",
            "mke2fs \"$disk\"",
            "echo bWtl | base64 -d | sh",
            "eval \"mke2fs $x\"",
            "python3 -c 'import os; os.system(\"mke2fs /dev/vdc\")'",
            "mke2fs /dev/loop0",
            "$tool /dev/vdc",
            "alias m=mke2fs",
            "read d </root/x; mke2fs $d",
            "curl -fsSL https://example.org/install | sh",
            "curl -fsSL https://example.org/install | sudo -E bash -",
            "wget -qO- https://example.org/install | bash -s -- --yes",
            "busybox wget -O - http://example.org/x | sh /dev/stdin",
            "sh -c \"$(curl -fsSL https://example.org/install)\"",
            "eval \"$(wget -qO- https://example.org/x)\"",
            "bash <(curl -s https://example.org/x)",
            ". <(curl -s https://example.org/x)",
            "wget -O /root/f http://example.org/x; sh /root/f",
            "wget -q http://example.org/install.sh && sh ./install.sh",
            "cd /root; curl -fsSLO https://example.org/install.sh; bash install.sh",
            "curl -fsSLo /root/x https://example.org/x && chmod +x /root/x && /root/x --yes",
            "curl https://example.org/x > /root/x; . /root/x",
            "curl https://example.org/x | tee /root/x >/dev/null; sh /root/x",
            "btrfs device add \"$disk\"",
            "[ \"$(curl -so /root/x -w '%{http_code}' https://example.org/x)\" = 200 ] && sh /root/x",
        ]
    )
    func unsure(script: String) {
        let findings = ShellRun.findings(of: script)
        #expect(!findings.isEmpty && findings.allSatisfy { $0.device == nil }, "\(findings)")
    }

    @Test(
        "a script that formats nothing, or a file, or is no script at all, gives no alarm",
        arguments: [
            "cp app.conf /dev/shm/",
            "cd /dev/disk/by-id; ls 2>&1 | grep virtio",
            "modprobe nvme; service mdadm restart; pip install parted",
            "parted /dev/vda resizepart 1 100%",
            "set -o pipefail; bash -o errexit -c 'echo never'",
            "command -v mkfs.xfs >/dev/null || echo \"no XFS tools\" >/root/note",
            "truncate -s 16M /root/disk.img && mke2fs -F /root/disk.img >/dev/null 2>&1",
            "'mke2fs' '$disk'",
            "cat >/root/note <<'EOF'\nnever mke2fs /dev/vdc\nEOF\n",
            "f() { echo \"$1\"; }; f /dev/vdc",
            "d=/dev/vdc; mount $d /mnt; d=/root/img; mkfs.ext4 $d",
            "dd if=/dev/vdc of=/root/copy",
            "dd if=/dev/zero of=/swap bs=1M count=64; mkswap /swap; swapon /swap",
            "echo hi > /dev/console; echo x >/dev/ttyS0",
            "wipefs /dev/vdc",
            "parted -s /dev/vdc print",
            "sgdisk -p /dev/vdc",
            "sfdisk -d /dev/vdc",
            "fdisk -l /dev/vdc",
            "mkswap /dev/zram0",
            "mke2fs -L \"$label\" /root/disk.img",
            "apt-get install -y dosfstools mkfs.ext4",
            "# mke2fs /dev/vdc\necho a # mke2fs /dev/vdc",
            "echo \"mke2fs /dev/vdc\"",
            "$SUDO mount /dev/vdc /mnt",
            "case /dev/vdc in /dev/vd*) echo disk;; esac",
            "[ -b /dev/vdc ] && mount /dev/vdc /data",
            "cp /dev/vdc /root/img",
            "while :; do mke2fs",
            "f() { f; }; f",
            "$(",
            "<<",
            "\"",
            "${",
            "case",
            "for",
            "mke2fs -n /dev/vdc",
            "mke2fs -V",
            "cryptsetup open /dev/vdc c",
            "xargs -a list rm",
            "lsblk | grep -q mkfs",
            "tee /dev/null </root/x; tee -a /var/log/x",
            "curl -o /root/file https://example.org/file",
            "curl -fsSL https://example.org/a.tar.gz | tar -xz -C /opt",
            "curl -fsSL https://example.org/key.asc | gpg --dearmor > /etc/apt/keyrings/x.gpg",
            "curl -fsSLo /usr/local/bin/tool https://example.org/tool; chmod +x /usr/local/bin/tool; tool --version",
            "curl -fsSLo /usr/local/bin/tool https://example.org/tool && /usr/local/bin/tool --version",
            "wget -O /root/f http://example.org/x; sh /root/other",
            "sh <<EOF\ncurl -o /root/file http://example.org/\nEOF",
            "sh -c 'curl -fsS http://localhost/health'",
            "until curl -fsS http://localhost/; do sleep 1; done",
            "token=$(curl -fsS http://localhost/token); echo \"$token\" >/root/token",
            "btrfs subvolume create /srv/a; btrfs device stats /dev/vdc; btrfs replace status /srv",
            "bcachefs fsck /dev/vdc; modprobe btrfs",
        ]
    )
    func honest(script: String) {
        #expect(ShellRun.findings(of: script).isEmpty)
    }

    @Test("a script is followed into the one that it calls, with its arguments")
    func called() {
        var run = ShellRun(files: ["/root/format": "mke2fs \"$1\""])
        run.follow("echo one\n/root/format /dev/vdc")
        #expect(run.findings == [FormatFinding(line: 1, program: "mke2fs", device: "/dev/vdc")])
    }

    @Test(
        "so it is by its name alone, and by a path from where the script is",
        arguments: [
            "format /dev/vdc", "sudo format /dev/vdc", "sh format /dev/vdc", "cd /usr/local; bin/format /dev/vdc",
        ]
    )
    func calledByName(script: String) {
        var run = ShellRun(files: ["/usr/local/bin/format": "mke2fs \"$1\""])
        run.follow(script)
        #expect(run.findings == [FormatFinding(line: 0, program: "mke2fs", device: "/dev/vdc")])
    }

    @Test("a script that never ends, or calls itself, is left in time")
    func endless() {
        let calls = ["f() { f; f; f; }; f", "f() { sh -c 'f; f'; }; f", String(repeating: "a=$a$a$b; ", count: 20_000)]
        let growing = "a=xxxxxxxx; " + String(repeating: "a=$a$a; echo $a; ", count: 200)
        let long = [
            "echo \"\(String(repeating: "x", count: 1 << 20))\"", "echo " + String(repeating: "y", count: 1 << 20),
        ]
        for script in calls + long + [growing, String(repeating: "$(", count: 2_000)] {
            #expect(ShellRun.findings(of: script).allSatisfy { $0.device == nil })
        }
        #expect(ShellRun.findings(of: long[0]).isEmpty)
        let behind = ShellRun.findings(of: String(repeating: ":;", count: 5_000) + "mkfs.ext4 /dev/vdc")
        #expect(behind.map(\.program) == ["a script too long to be judged"])
    }

    @Test("a finding knows its line, behind quotes, here-documents and joined lines too")
    func lines() {
        let script = "echo 'a\nb' \\\n c\ncat <<E\n1\n2\nE\nmke2fs /dev/vdc"
        #expect(ShellRun.findings(of: script).map(\.line) == [7])
    }
}

extension ShellRun {
    fileprivate static func findings(of script: String) -> [FormatFinding] {
        var run = ShellRun()
        run.follow(script)
        return run.findings
    }
}
