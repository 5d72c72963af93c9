import Foundation
import Glibc
import KilnOutside
import KilnScenarios

/// A machine from the image `tiny` that writes a ledger to a volume, of which every write and flush is recorded.
///
/// Guest → NBD on a unix socket → qemu-storage-daemon: blklogwrites → file. Kiln is not in it: what is tried is the chain
/// that an acknowledgement rests on, from the writer's sync to the disk.
final class RecordedMachine {
    let directory: String
    private let isSyncing: Bool
    private var running: [Child] = []

    var initial: String { directory + "/initial.raw" }
    var log: String { directory + "/log" }

    /// - Parameter isSyncing: false plants a bug: the writer acknowledges without having synced.
    init(directory: String, isSyncing: Bool) {
        self.directory = directory
        self.isSyncing = isSyncing
    }

    /// Boots it, and switches it off at once when so many records are acknowledged.
    ///
    /// - Returns: the acknowledgements, each with the number of log entries that were written at the time.
    func record(image: String, records: Int) throws -> [(acknowledgement: Acknowledgement, mark: UInt64)] {
        try makeDisks(image: image)
        let log = log
        let acknowledgements = Acknowledgements(directory: directory) { RecordedMachine.entries(of: log) }
        defer { end() }
        try start(recorder)
        try awaitThat("the recorder listens", within: .seconds(10)) { access(directory + "/nbd", F_OK) == 0 }
        let machine = try start(machine(image: image))
        try awaitThat("\(records) acknowledged records", within: .seconds(180)) {
            if machine.hasEnded { throw Failure("the recorded machine has ended: \(machine.errors) \(console)") }
            // A writer that does not sync has many acknowledgements between two flushes; a few flushes are wanted too.
            return acknowledgements.count >= records && Set(acknowledgements.marked.map(\.mark)).count >= 6
        }
        machine.send(SIGKILL)
        _ = try machine.finish()
        return acknowledgements.marked
    }

    // A write that is done is in the log, and a flush that is done has brought the header's count up to date.
    private static func entries(of log: String) -> UInt64 {
        let file = open(log, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 0 }
        defer { close(file) }
        var count: UInt64 = 0
        pread(file, &count, 8, off_t(WriteLog.countOffset))
        return UInt64(littleEndian: count)
    }

    private var console: String {
        String(((try? String(contentsOfFile: directory + "/console", encoding: .utf8)) ?? "").suffix(500))
    }

    private func end() {
        for child in running.reversed() {
            child.send(SIGTERM)
            _ = try? child.finish(within: .seconds(10))
        }
        running = []
    }

    // MARK: - Disks

    private func makeDisks(image: String) throws {
        let root = directory + "/root.raw"
        try tool(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", image + "/disk.qcow2", root])
        try Data(writer.utf8).write(to: URL(fileURLWithPath: directory + "/writer"))
        try Data(RecordedMachine.initScript.utf8).write(to: URL(fileURLWithPath: directory + "/init"))
        for (name, target) in [("writer", "/writer"), ("init", "/sweep-init")] {
            try tool(["debugfs", "-w", "-R", "write \(directory)/\(name) \(target)", root])
            try tool(["debugfs", "-w", "-R", "sif \(target) mode 0100755", root])
        }
        // As Kiln formats a volume; small, because every state of it is looked at as a whole.
        try tool(["truncate", "-s", "16M", initial])
        let extended = "root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0"
        try tool(["mke2fs", "-F", "-q", "-t", "ext4", "-L", "data", "-E", extended, "--", initial])
        try tool(["cp", "--sparse=always", initial, directory + "/volume.raw"])
        try tool(["truncate", "-s", "0", log])
    }

    private var writer: String {
        let script = LedgerWriter.command(path: "/data/ledger")[2]
        guard !isSyncing else { return script }
        return script.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.contains(#"sync -d "$file""#) }.joined(separator: "\n")
    }

    // The noise makes writes that no flush is waited for.
    private static let initScript = #"""
        #!/bin/sh
        export PATH=/usr/sbin:/usr/bin:/sbin:/bin
        mount -t tmpfs run /run
        mkdir -p /data /dev/virtio-ports
        for port in /sys/class/virtio-ports/*; do ln -s "/dev/${port##*/}" "/dev/virtio-ports/$(cat "$port/name")"; done
        for serial in /sys/block/*/serial; do
            [ "$(cat "$serial")" = volume ] || continue
            device=${serial%/serial}
            mount -t ext4 -o commit=1 "/dev/${device##*/}" /data || echo "sweep: can't mount"
        done
        while :; do
            for n in 1 2 3; do
                head -c 9000 /dev/zero >"/data/noise.$n"
                mv "/data/noise.$n" "/data/noise"
                sleep 0.1
            done
        done &
        sh -c "$(cat /writer)" kiln-ledger /data/ledger /dev/virtio-ports/kiln.ledger /run/kiln-ledger
        echo "sweep: the writer ended with $?"
        sleep 1000

        """#

    // MARK: - Processes

    private var recorder: [String] {
        [
            "qemu-storage-daemon",
            "--blockdev", "driver=file,node-name=volume,filename=\(directory)/volume.raw",
            "--blockdev", "driver=file,node-name=log,filename=\(log)",
            "--blockdev", "driver=blklogwrites,node-name=recorded,file=volume,log=log,log-sector-size=512",
            "--nbd-server", "addr.type=unix,addr.path=\(directory)/nbd",
            "--export", "type=nbd,id=export,node-name=recorded,name=volume,writable=on",
        ]
    }

    private func machine(image: String) -> [String] {
        [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", "q35,usb=off", "-accel", "tcg", "-cpu", "qemu64", "-m", "256",
            "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            "-kernel", image + "/kernel", "-initrd", image + "/initrd",
            "-append", "root=LABEL=root rw console=ttyS0 quiet norandmaps no_timer_check init=/sweep-init",
            "-drive", "if=none,id=root,format=raw,cache=unsafe,file=\(directory)/root.raw",
            "-device", "virtio-blk-pci,drive=root",
            "-blockdev",
            "driver=nbd,node-name=volume,server.type=unix,server.path=\(directory)/nbd,export=volume",
            "-device", "virtio-blk-pci,drive=volume,serial=volume,write-cache=on",
            "-serial", "file:\(directory)/console",
            "-device", "virtio-serial-pci",
            "-chardev", "socket,id=ledger,path=\(directory)/machine.ledger,server=on,wait=off",
            "-device", "virtserialport,chardev=ledger,name=kiln.ledger",
            "-object", "rng-random,id=random,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=random",
        ]
    }

    private var environment: [String: String] {
        ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"]
    }

    @discardableResult
    private func start(_ line: [String]) throws -> Child {
        let child = try Child(line, environment: environment, directory: directory)
        running.append(child)
        return child
    }

    /// Runs a program to its end.
    @discardableResult
    func run(_ line: [String]) throws -> Child.End {
        try Child(line, environment: environment, directory: directory).finish()
    }

    private func tool(_ line: [String]) throws {
        let end = try run(line)
        guard end.status == 0 else { throw Failure("\(line[0]) ended with \(end.status): \(end.errors)") }
    }
}
