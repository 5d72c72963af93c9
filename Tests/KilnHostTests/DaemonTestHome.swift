import Foundation
import Glibc
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

/// A KILN_HOME in a temporary directory that the user `kiln` can reach, and what tests ask about its daemon.
struct DaemonTestHome {
    let path: String

    init(length: Int = 0) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("kiln-daemon-\(UUID().uuidString)")
            .path
        path =
            root
            + (length > root.utf8.count + 1 ? "/" + String(repeating: "h", count: length - root.utf8.count - 1) : "")
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
        chmod(root, 0o755)
        self.root = root
    }

    private let root: String

    /// The program that the tests were built with: it lies beside the test bundle.
    static var executable: String? {
        guard let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else { return nil }
        let kiln = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("kiln").path
        return FileManager.default.isExecutableFile(atPath: kiln) ? kiln : nil
    }

    /// Whether this host has what a daemon takes.
    static var isPossible: Bool {
        executable != nil && ProgramPath.find("libvirtd") != nil && (try? MachineOwner.current()) != nil
    }

    func daemon(idleSeconds: Int = 2) throws -> SessionDaemon {
        SessionDaemon(
            home: path,
            owner: try MachineOwner.current(),
            executable: try #require(DaemonTestHome.executable),
            idleSeconds: idleSeconds,
            deadline: .seconds(20)
        )
    }

    /// Starts the daemon and does something while a client keeps it from ending by itself.
    func held<Result: Sendable>(
        _ daemon: SessionDaemon,
        _ body: @Sendable (_ uri: String, _ pid: Int32) async throws -> Result
    ) async throws -> Result {
        let uri = try await daemon.ensureRunning()
        let client = HypervisorSession { try await daemon.ensureRunning() }
        _ = try await client.connection()
        do {
            guard case .running(let pid) = try await daemon.status() else {
                throw KilnError("test.stopped", "the daemon doesn't run")
            }
            let result = try await body(uri, pid)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }

    func remove(_ daemon: SessionDaemon? = nil) {
        daemon?.alias.remove()
        try? FileManager.default.removeItem(atPath: root)
    }

    /// Runs virsh against `uri` and returns its exit status.
    static func virsh(_ uri: String, _ arguments: String...) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/virsh")
        process.arguments = ["-q", "-c", uri] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// The parent of a process.
    static func parent(of pid: Int32) -> Int32? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
        return text.split(separator: ")").last?.split(separator: " ").dropFirst().first.flatMap { Int32($0) }
    }

    /// Waits until `pid` is gone, not even a zombie.
    static func end(of pid: Int32, within limit: Duration) -> Bool {
        let deadline = ContinuousClock.now + limit
        // No event tells about the end of a process that isn't a child.
        while kill(pid, 0) == 0 {
            if ContinuousClock.now > deadline { return false }
            poll(nil, 0, 10)
        }
        return true
    }
}
