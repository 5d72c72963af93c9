import Foundation
import Glibc
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("An embedded libvirt")
struct EmbedTests {
    private static let uri = "qemu:///embed?root=/r"

    @Test(
        "only a command line that names an embedded libvirt gets processes of its own",
        arguments: [
            (["kiln", "run", "f", "--connect", uri], nil, "/r"),
            (["kiln", "run", "f", "--connect=" + uri], nil, "/r"),
            (["kiln", "run", "f"], uri, "/r"),
            (["kiln", "run", "f", "--connect", "test:///default"], uri, nil),
            (["kiln", "run", "--connect", "test:///default", "--connect", uri], nil, "/r"),
            (["kiln", "exec", "s", "--", "kiln", "--connect", uri], nil, nil),
            (["kiln", "run", "f", "--connect"], nil, nil),
            (["kiln", "run", "f", "--connect", "qemu:///embed"], nil, nil),
            (["kiln"], nil, nil),
        ] as [([String], String?, String?)]
    )
    func decision(_ arguments: [String], _ variable: String?, _ root: String?) {
        let environment = variable.map { ["LIBVIRT_DEFAULT_URI": $0] } ?? [:]
        #expect(EmbedFront.root(of: arguments, environment: environment) == root)
    }

    @Test("the worker gets the arguments that kiln was given")
    func arguments() throws {
        let given = ["./kiln", "exec", "a/b", "--", "__embed", "3"]
        let request = try #require(EmbedReaper.request(in: EmbedReaper.arguments(for: given, channel: 12)))
        #expect(request.worker == given)
        #expect(request.channel == 12)
        #expect(EmbedReaper.request(in: given) == nil)
    }

    @Test("a root is as long as a monitor's socket allows, and no longer")
    func longest() {
        let root = "/" + String(repeating: "r", count: EmbedRoot.longest - 1)
        let monitor = "\(root)/lib/qemu/domain-99999-\(String(repeating: "n", count: 20))/monitor.sock"
        #expect(monitor.utf8.count == UnixSocket.longestPath)
        let error = #expect(throws: KilnError.self) {
            try EmbedRoot.prepare(root + "r", owner: .init(uid: 7, gid: 7, name: "x"))
        }
        #expect(error?.code == .embedRootTooLong && error?.exit == .usage)
    }

    @Test("the user that libvirt was built for is missed only where libvirt would miss him")
    func builtInUser() throws {
        let error = #expect(throws: KilnError.self) {
            try EmbedRoot.checkBuiltInUser(isRoot: true, isDebian: true) { _ in false }
        }
        #expect(error?.code == .embedUserMissing && error?.hint?.contains("make setup") == true)
        try EmbedRoot.checkBuiltInUser(isRoot: true, isDebian: true) { $0 == "libvirt-qemu" }
        try EmbedRoot.checkBuiltInUser(isRoot: false, isDebian: true) { _ in false }
        try EmbedRoot.checkBuiltInUser(isRoot: true, isDebian: false) { _ in false }
    }

    @Test("libvirt's log goes to a file that its configuration can name, or nowhere")
    func log() {
        #expect(EmbedRoot.logOutputs("/a/root") == "3:file:/a/root/libvirt.log")
        #expect(EmbedRoot.logOutputs("/a root") == "3:file:/dev/null")
    }

    @Test(
        "a root in which another process's libvirt works is refused, and the process named",
        .enabled(if: EmbedTests.isPossible, "needs virsh and the user libvirt-qemu")
    )
    func busy() throws {
        let directory = try TestDirectory()
        let me = MachineOwner(uid: geteuid(), gid: getegid(), name: "me")
        try EmbedRoot.checkFree(directory.path)
        try EmbedRoot.prepare(directory.path, owner: me)
        let other = try EmbeddedVirsh(root: directory.path)
        let error = #expect(throws: KilnError.self) { try EmbedRoot.checkFree(directory.path) }
        #expect(error?.code == .embedBusy && error?.exit == .blocked)
        #expect(error?.message.contains("process \(other.pid) (virsh)") == true)
        other.kill()
        // The file that a dead process leaves means nothing.
        #expect(FileManager.default.fileExists(atPath: directory.path + "/run/qemu/driver.pid"))
        try EmbedRoot.checkFree(directory.path)
    }

    private static var isPossible: Bool {
        ProgramPath.find("virsh") != nil && (try? EmbedRoot.checkBuiltInUser()) != nil
    }

    @Test("an embedded libvirt of root asks as root what QEMU can do, and a plain user's names none")
    func configuration() {
        #expect(EmbedRoot.configuration(isRoot: true).contains("user = \"root\"\ngroup = \"root\"\n"))
        #expect(!EmbedRoot.configuration(isRoot: false).contains("user"))
    }
}

/// virsh with an embedded libvirt inside, which waits for its next command.
private final class EmbeddedVirsh {
    private let process = Process()
    private let input = Pipe()

    var pid: Int32 { process.processIdentifier }

    /// Returns once it is connected.
    init(root: String) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: try #require(ProgramPath.find("virsh")))
        process.arguments = ["-q", "-c", "qemu:///embed?root=\(root)"]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data("uri\n".utf8))
        try #require(!output.fileHandleForReading.availableData.isEmpty)
    }

    func kill() {
        Glibc.kill(pid, SIGKILL)
        process.waitUntilExit()
    }
}
