import Foundation
import Glibc
import KilnModel
import Testing

@testable import KilnHost

@Suite("Life of the private daemon", .enabled(if: DaemonTestHome.isPossible), .serialized, .timeLimit(.minutes(2)))
struct DaemonLifeTests {
    @Test("it starts, serves, is started again after kill -9, and ends by itself without a trace", arguments: [0, 150])
    func life(homeLength: Int) async throws {
        let home = try DaemonTestHome(length: homeLength)
        let daemon = try home.daemon()
        defer { home.remove(daemon) }
        #expect(try await daemon.status() == .stopped)

        let first = try await home.held(daemon) { uri, pid in
            let reaper = try #require(DaemonTestHome.parent(of: pid))
            #expect(try DaemonTestHome.virsh(uri, "list") == 0)
            #expect(try DaemonTestHome.virsh(uri, "list") == 0)
            #expect(try await daemon.ensureRunning() == uri)
            #expect(try await daemon.status() == .running(pid: pid))
            #expect(kill(pid, SIGKILL) == 0)
            #expect(DaemonTestHome.end(of: pid, within: .seconds(5)))
            #expect(DaemonTestHome.end(of: reaper, within: .seconds(5)))
            return pid
        }
        #expect(try await daemon.status() == .stopped)
        let (second, successor) = try await home.held(daemon) { uri, pid in
            #expect(try DaemonTestHome.virsh(uri, "list") == 0)
            return (pid, try #require(DaemonTestHome.parent(of: pid)))
        }
        #expect(second != first)
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
            // None leaves before all have come, so that none of them can meet a daemon that ends.
            let all = Arrivals(6)
            for _ in 0..<6 {
                group.addTask {
                    try await home.held(daemon) { _, pid in
                        await all.come()
                        return pid
                    }
                }
            }
            return try await group.reduce(into: Set<Int32>()) { $0.insert($1) }
        }
        #expect(pids.count == 1)
        for pid in pids {
            #expect(DaemonTestHome.end(of: pid, within: .seconds(10)))
        }
    }

    @Test("the daemon runs as the machines' owner, in a session of its own, with nothing of our environment")
    func confinement() async throws {
        let home = try DaemonTestHome()
        let daemon = try home.daemon()
        defer { home.remove(daemon) }
        let (pid, reaper) = try await home.held(daemon) { _, pid in
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
            return (pid, reaper)
        }
        #expect(DaemonTestHome.end(of: pid, within: .seconds(10)))
        #expect(DaemonTestHome.end(of: reaper, within: .seconds(5)))
    }

    @Test("a start waits for a predecessor that closed its socket but still holds its locks")
    func endingPredecessor() async throws {
        let home = try DaemonTestHome()
        let daemon = try home.daemon(idleSeconds: 6)
        defer { home.remove(daemon) }
        let (first, reaper) = try await home.held(daemon) { _, pid in
            (pid, try #require(DaemonTestHome.parent(of: pid)))
        }
        // Stopped, with its socket gone: a daemon on its way out, seen in slow motion.
        #expect(kill(first, SIGSTOP) == 0)
        try FileManager.default.removeItem(atPath: home.path + "/daemon/run/libvirt/libvirt-sock")
        async let held = home.held(daemon) { uri, pid in
            #expect(try DaemonTestHome.virsh(uri, "list") == 0)
            return (pid, try #require(DaemonTestHome.parent(of: pid)))
        }
        #expect(!DaemonTestHome.end(of: first, within: .milliseconds(300)))
        kill(first, SIGKILL)
        let (second, successor) = try await held
        for process in [reaper, second, successor] {
            #expect(DaemonTestHome.end(of: process, within: .seconds(20)))
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

/// Lets nobody go before all have come.
private actor Arrivals {
    private var missing: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { missing = count }

    func come() async {
        missing -= 1
        guard missing == 0 else { return await withCheckedContinuation { waiting.append($0) } }
        for continuation in waiting { continuation.resume() }
    }
}
