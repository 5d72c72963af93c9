import Foundation
import Glibc
import KilnModel
import Testing

@testable import KilnHost

@Suite("Life of the private daemon", .enabled(if: DaemonTestHome.isPossible), .serialized, .timeLimit(.minutes(2)))
struct DaemonLifeTests {
    private func pid(_ daemon: SessionDaemon) async throws -> Int32 {
        guard case .running(let pid) = try await daemon.status() else {
            throw KilnError("test.stopped", "the daemon doesn't run")
        }
        return pid
    }

    @Test("it starts, serves, is started again after kill -9, and ends by itself without a trace", arguments: [0, 150])
    func life(homeLength: Int) async throws {
        let home = try DaemonTestHome(length: homeLength)
        let daemon = try home.daemon()
        defer { home.remove(daemon) }
        #expect(try await daemon.status() == .stopped)

        let uri = try await daemon.ensureRunning()
        let first = try await pid(daemon)
        let reaper = try #require(DaemonTestHome.parent(of: first))
        #expect(try DaemonTestHome.virsh(uri, "list") == 0)
        #expect(try DaemonTestHome.virsh(uri, "list") == 0)
        #expect(try await daemon.ensureRunning() == uri)
        #expect(try await pid(daemon) == first)

        #expect(kill(first, SIGKILL) == 0)
        #expect(DaemonTestHome.end(of: first, within: .seconds(5)))
        #expect(DaemonTestHome.end(of: reaper, within: .seconds(5)))
        #expect(try await daemon.status() == .stopped)
        #expect(try await daemon.ensureRunning() == uri)
        let second = try await pid(daemon)
        let successor = try #require(DaemonTestHome.parent(of: second))
        #expect(second != first)
        #expect(try DaemonTestHome.virsh(uri, "list") == 0)

        #expect(DaemonTestHome.end(of: second, within: .seconds(10)))
        #expect(DaemonTestHome.end(of: successor, within: .seconds(5)))
        #expect(!FileManager.default.fileExists(atPath: home.path + "/daemon/run/libvirt/libvirt-sock"))
        daemon.alias.remove()
        #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: daemon.alias.link)) == nil)
    }

    @Test("starts at the same time make one daemon")
    func oneDaemon() async throws {
        let home = try DaemonTestHome()
        let daemon = try home.daemon()
        defer { home.remove(daemon) }
        let pids = try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    _ = try await daemon.ensureRunning()
                    return try await pid(daemon)
                }
            }
            return try await group.reduce(into: Set<Int32>()) { $0.insert($1) }
        }
        #expect(pids.count == 1)
        for pid in pids {
            let reaper = try #require(DaemonTestHome.parent(of: pid))
            #expect(DaemonTestHome.end(of: pid, within: .seconds(10)))
            #expect(DaemonTestHome.end(of: reaper, within: .seconds(5)))
        }
    }

    @Test("the daemon runs as the machines' owner, in a session of its own, with nothing of our environment")
    func confinement() async throws {
        let home = try DaemonTestHome()
        let daemon = try home.daemon()
        defer { home.remove(daemon) }
        _ = try await daemon.ensureRunning()
        let pid = try await pid(daemon)
        let reaper = try #require(DaemonTestHome.parent(of: pid))
        #expect(getsid(reaper) == reaper)
        for process in [pid, reaper] {
            let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
            let uid = daemon.owner.uid
            #expect(status.contains("Uid:\t\(uid)\t\(uid)\t\(uid)\t\(uid)\n"))
            if uid != 0 { #expect(status.contains("CapPrm:\t0000000000000000\n")) }
            let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")) ?? []
            if process == reaper && !descriptors.isEmpty { #expect(descriptors.count <= 3) }
        }
        #expect(DaemonTestHome.end(of: pid, within: .seconds(10)))
        #expect(DaemonTestHome.end(of: reaper, within: .seconds(5)))
    }

    @Test("a start waits for a predecessor that closed its socket but still holds its locks")
    func endingPredecessor() async throws {
        let home = try DaemonTestHome()
        let daemon = try home.daemon()
        defer { home.remove(daemon) }
        _ = try await daemon.ensureRunning()
        let first = try await pid(daemon)
        let reaper = try #require(DaemonTestHome.parent(of: first))
        // Stopped, with its socket gone: a daemon on its way out, seen in slow motion.
        kill(first, SIGSTOP)
        try FileManager.default.removeItem(atPath: home.path + "/daemon/run/libvirt/libvirt-sock")
        async let uri = daemon.ensureRunning()
        #expect(!DaemonTestHome.end(of: first, within: .milliseconds(300)))
        kill(first, SIGKILL)
        #expect(try DaemonTestHome.virsh(try await uri, "list") == 0)
        let second = try await pid(daemon)
        let successor = try #require(DaemonTestHome.parent(of: second))
        for process in [reaper, second, successor] {
            #expect(DaemonTestHome.end(of: process, within: .seconds(10)))
        }
    }

    @Test("a program that isn't kiln is told apart from a daemon that doesn't start")
    func wrongProgram() async throws {
        let home = try DaemonTestHome()
        let daemon = SessionDaemon(home: home.path, owner: try MachineOwner.current(), executable: "/nonexistent/kiln")
        defer { home.remove(daemon) }
        await #expect { try await daemon.ensureRunning() } throws: { error in
            let error = error as? KilnError
            return error?.code == .daemonStartFailed && error?.message.contains("/nonexistent/kiln") == true
        }
    }

    @Test("a home that the machines' owner can't reach is refused by name", .enabled(if: geteuid() == 0, "root only"))
    func unreachableHome() async throws {
        let home = try DaemonTestHome(length: 90)
        let daemon = try home.daemon()
        defer { home.remove(daemon) }
        chmod(URL(fileURLWithPath: home.path).deletingLastPathComponent().path, 0o700)
        await #expect { try await daemon.ensureRunning() } throws: { error in
            let error = error as? KilnError
            return error?.code == .daemonHomeUnreachable && error?.message.contains("'kiln'") == true
        }
    }
}
