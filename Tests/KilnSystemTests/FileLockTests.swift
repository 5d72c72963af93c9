import Foundation
import KilnModel
import KilnTestSupport
import Synchronization
import Testing

@testable import KilnSystem

@Suite struct FileLockTests {
    /// Another process that holds a lock until it is killed.
    private func holder(of path: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        process.arguments = ["--no-fork", "--exclusive", path, "/bin/sh", "-c", "echo ready; exec sleep 60"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        #expect(try output.fileHandleForReading.read(upToCount: 5) == Data("ready".utf8))
        return process
    }

    @Test("a second taker is refused at once, and told who holds the lock")
    func refused() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lock"
        let first = try FileLock(path, subject: "server lab/web")
        let error = try #require(throws: KilnError.self) { try FileLock(path, subject: "server lab/web") }
        #expect(error.code == .lockHeld)
        #expect(error.exit == .blocked)
        #expect(error.message.contains("server lab/web"))
        #expect(error.message.contains("pid \(getpid())"))
        withExtendedLifetime(first) {}
    }

    @Test("its holder is called by its program and verb, however long the path of the program is")
    func holderIsShort() {
        let path = "/" + String(repeating: "long/", count: 50) + "kiln"
        #expect(FileLock.command([path, "gc", "--format", "json", "more"]) == "kiln gc --format json")
        #expect(FileLock.command(["/"]) == "/")
        #expect(FileLock.command([]) == "unknown")
    }

    @Test("the lock is free when its holder lets it go")
    func released() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lock"
        do { withExtendedLifetime(try FileLock(path, subject: "x")) {} }
        _ = try FileLock(path, subject: "x")
    }

    @Test("whoever holds a lock can tell that its file was removed, also where another one has its name by then")
    func renamed() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lock"
        let first = try FileLock(path, subject: "x")
        #expect(first.isStillNamed)
        try FileManager.default.removeItem(atPath: path)
        #expect(!first.isStillNamed)
        let second = try FileLock(path, subject: "x")
        #expect(!first.isStillNamed && second.isStillNamed)
    }

    @Test("a lock goes with the process that held it, even if that was killed")
    func processDeath() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lock"
        try Data("pid 4711, kiln replace web\u{1b}[2J".utf8).write(to: URL(fileURLWithPath: path))
        let process = try holder(of: path)
        let error = try #require(throws: KilnError.self) { try FileLock(path, subject: "x") }
        #expect(error.message.contains("pid 4711, kiln replace web"))
        #expect(!error.message.contains("\u{1b}"))
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        _ = try FileLock(path, subject: "x")
    }

    @Test("the existence and content of a lock file mean nothing")
    func existence() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lock"
        try Data("pid 1, init".utf8).write(to: URL(fileURLWithPath: path))
        let lock = try FileLock(path, subject: "x")
        #expect(try String(contentsOfFile: path, encoding: .utf8).hasPrefix("pid \(getpid())"))
        withExtendedLifetime(lock) {}
    }

    @Test("nobody who let the lock go, or was killed with it, is blamed for what its next holder does")
    func blame() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lock"
        do { withExtendedLifetime(try FileLock(path, subject: "x")) {} }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)

        let dead = Process()
        dead.executableURL = URL(fileURLWithPath: "/bin/true")
        try dead.run()
        dead.waitUntilExit()
        try Data("pid \(dead.processIdentifier), kiln up".utf8).write(to: URL(fileURLWithPath: path))
        let next = try holder(of: path)
        defer { kill(next.processIdentifier, SIGKILL) }
        let name = "pid \(next.processIdentifier), kiln gc"
        // The holder has the lock, and is about to write its name.
        let naming = Thread {
            usleep(1000)
            try? Data(name.utf8).write(to: URL(fileURLWithPath: path))
        }
        naming.start()
        let error = try #require(throws: KilnError.self) { try FileLock(path, subject: "x") }
        #expect(error.message.contains(name), "\(error.message)")
    }

    @Test("whoever does not get the lock leaves its holder's name where it stands")
    func keepsName() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lock"
        let lock = try FileLock(path, subject: "x")
        for _ in 0..<2 {
            let error = try #require(throws: KilnError.self) { try FileLock(path, subject: "x") }
            #expect(error.message.contains("pid \(getpid()), "))
        }
        withExtendedLifetime(lock) {}
    }

    @Test("a shared lock goes with others of its kind and not with one that excludes all")
    func shared() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lock"
        try Data("pid 4711, kiln image delete".utf8).write(to: URL(fileURLWithPath: path))
        do {
            let first = try FileLock(path, subject: "the store", kind: .shared)
            let second = try FileLock(path, subject: "the store", kind: .shared)
            let error = try #require(throws: KilnError.self) { try FileLock(path, subject: "the store") }
            #expect(error.code == .lockHeld)
            #expect(!error.message.contains("4711"), "\(error.message)")
            withExtendedLifetime((first, second)) {}
        }
        let alone = try FileLock(path, subject: "the store")
        let error = try #require(throws: KilnError.self) { try FileLock(path, subject: "x", kind: .shared) }
        #expect(error.message.contains("pid \(getpid()), "))
        withExtendedLifetime(alone) {}
    }

    @Test(
        "a lock that one can't write to can be shared, and not be had alone",
        .enabled(if: geteuid() != 0, "root can write to every file")
    )
    func readOnly() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lock"
        try Data().write(to: URL(fileURLWithPath: path))
        chmod(path, 0o444)
        withExtendedLifetime(try FileLock(path, subject: "x", kind: .shared)) {}
        #expect(throws: KilnError.self) { try FileLock(path, subject: "x") }
    }

    @Test("who waits for a lock is told for whom, gets it when it is free, and gives up at the deadline")
    func waiting() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lock"
        let process = try holder(of: path)
        defer { kill(process.processIdentifier, SIGKILL) }
        try Data("pid \(process.processIdentifier), kiln up".utf8).write(to: URL(fileURLWithPath: path))
        let error = await #expect(throws: KilnError.self) {
            _ = try await FileLock.whenFree(path, subject: "x", within: .milliseconds(100))
        }
        #expect(error?.code == .lockHeld)
        let pid = process.processIdentifier
        let lock = try await FileLock.whenFree(path, subject: "x", within: .seconds(60)) { held in
            #expect(held.message.contains("pid \(pid), kiln up"))
            kill(pid, SIGKILL)
        }
        withExtendedLifetime(lock) {}
    }

    @Test("who waits for another task of the same process is not sent to look for another one")
    func waitingForOneself() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lock"
        let lock = try FileLock(path, subject: "the store")
        let error = await #expect(throws: KilnError.self) {
            _ = try await FileLock.whenFree(path, subject: "the store", within: .milliseconds(100))
        }
        #expect(
            error?.message.hasPrefix("the store is being changed by other work of this command: 'pid \(getpid()), ")
                == true
        )
        withExtendedLifetime(lock) {}
    }

    @Test("the kernel's lock is waited for until a deadline")
    func kernelLock() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lock"
        let process = try holder(of: path)
        defer { kill(process.processIdentifier, SIGKILL) }
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        defer { close(descriptor) }
        #expect(!KernelLock.wait(descriptor, until: .now + .milliseconds(50)))
        #expect(KernelLock.holders(of: descriptor) == [process.processIdentifier])
        kill(process.processIdentifier, SIGKILL)
        #expect(KernelLock.wait(descriptor, until: .now + .seconds(60)))
    }

    @Test("a symbolic link in the place of a lock file is not followed")
    func link() throws {
        let directory = try TemporaryDirectory()
        let target = directory.path + "/target"
        try Data("precious".utf8).write(to: URL(fileURLWithPath: target))
        try FileManager.default.createSymbolicLink(atPath: directory.path + "/lock", withDestinationPath: target)
        #expect(throws: KilnError.self) { try FileLock(directory.path + "/lock", subject: "x") }
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "precious")
    }

    @Test("a lock that is not obtained closes its file once, and nobody else's")
    func closesOnce() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lock"
        let lock = try FileLock(path, subject: "it")
        let isOver = Mutex(false)
        // Whatever gets the number of a file that was just closed: nobody but this may close it.
        async let stolen = Task.detached {
            var stolen = 0
            while !isOver.withLock({ $0 }) {
                let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
                if close(descriptor) != 0 { stolen += 1 }
            }
            return stolen
        }.value
        for _ in 0..<3000 { #expect(throws: KilnError.self) { try FileLock(path, subject: "it") } }
        isOver.withLock { $0 = true }
        #expect(await stolen == 0)
        withExtendedLifetime(lock) {}
    }
}
