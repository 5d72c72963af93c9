import Foundation
import KilnOutside
import Synchronization

/// Boots the image tiny again and again with a QEMU of its own, and counts the guests that die before init.
///
/// Nothing of kiln's is in it but the processor that kiln chooses on this host: emulators crash by what they emulate.
struct BootSeries {
    /// How many guests run at the same time.
    private static let lanes = 2
    private static let patience = Duration.seconds(90)

    private let image: String
    private let processor: [String]
    private let evidence: String

    /// Prepares a series.
    ///
    /// - Parameter evidence: where the consoles of guests that died are kept.
    init(_ account: Account, evidence: String) throws {
        try account.needTiny()
        self.evidence = evidence
        let digest = try String(contentsOfFile: "\(account.home)/images/names/tiny/1", encoding: .utf8)
        image =
            "\(account.home)/images/sha256/" + digest.trimmingCharacters(in: .newlines).replacing("sha256:", with: "")
        var chosen: [String] = []
        try Lab.with("boots", account) { chosen = try BootSeries.processor(of: $0) }
        processor = chosen
    }

    /// The arguments of a lab's QEMU that choose machine, processor and kernel command line.
    private static func processor(of lab: Lab) throws -> [String] {
        let arguments = lab.machines.first?.arguments ?? []
        return try ["-machine", "-accel", "-cpu", "-append"].flatMap { option -> [String] in
            guard let index = arguments.firstIndex(of: option), index + 1 < arguments.count else {
                throw Failure("the QEMU that kiln has started has no \(option)")
            }
            // What follows the machine's name are names of kiln's own objects.
            let value = arguments[index + 1]
            return [option, option == "-machine" ? String(value.prefix { $0 != "," }) : value]
        }
    }

    /// Boots so many guests.
    func run(_ count: Int) -> BootCount {
        let next = Mutex(1)
        let outcome = Mutex(BootCount(boots: 0, crashes: []))
        let group = DispatchGroup()
        for _ in 0..<BootSeries.lanes {
            group.enter()
            Thread.detachNewThread {
                defer { group.leave() }
                while let number = next.withLock({ BootSeries.take(&$0, upTo: count) }) {
                    let verdict = Result { try boot(number) }
                    outcome.withLock { $0.add(verdict, of: number) }
                }
            }
        }
        group.wait()
        return outcome.withLock { $0 }
    }

    private static func take(_ next: inout Int, upTo last: Int) -> Int? {
        defer { next += 1 }
        return next <= last ? next : nil
    }

    private func boot(_ number: Int) throws -> BootVerdict {
        let console = "/var/tmp/boot-\(number).console"
        defer { unlink(console) }
        let child = try Child(line(console), environment: Child.environment, directory: "/tmp")
        defer {
            child.send(SIGKILL)
            _ = try? child.finish(within: .seconds(10))
        }
        let deadline = ContinuousClock.now + BootSeries.patience
        while true {
            // Before the console is read: what it says last counts.
            let (hasEnded, isOver) = (child.hasEnded, ContinuousClock.now >= deadline)
            let text = String(decoding: FileManager.default.contents(atPath: console) ?? Data(), as: UTF8.self)
            if hasEnded && text.isEmpty { throw Failure("QEMU does not start: \(child.errors.suffix(500))") }
            if let verdict = BootVerdict.of(text, hasEnded: hasEnded, isOver: isOver) {
                if case .crashed = verdict { keep(text, number) }
                return verdict
            }
            pause(.milliseconds(50))
        }
    }

    private func keep(_ console: String, _ number: Int) {
        try? FileManager.default.createDirectory(atPath: evidence, withIntermediateDirectories: true)
        try? Data(console.utf8).write(to: URL(fileURLWithPath: "\(evidence)/\(number).console"))
    }

    private func line(_ console: String) -> [String] {
        ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-m", "256"]
            + processor
            + ["-kernel", image + "/kernel", "-initrd", image + "/initrd"]
            + ["-drive", "file=\(image)/disk.qcow2,format=qcow2,if=none,id=root,snapshot=on"]
            // What the kernel command line calls the root disk.
            + ["-device", "virtio-blk-pci,drive=root,serial=kiln-root"]
            + ["-serial", "file:\(console)"]
    }
}
