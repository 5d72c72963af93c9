import Foundation
import Glibc
import KilnModel
import KilnSystem
import Synchronization

/// This host, by kill(2), /proc, fcntl(2) and listen(2).
package struct LinuxHost: HostControl {
    package init() {}

    package func send(_ signal: Int32, to pid: Int32) -> Bool {
        // 0 and negative numbers mean groups of processes.
        pid > 1 && kill(pid, signal) == 0
    }

    package func state(of pid: Int32) -> HostProcesses.State { HostProcesses.state(of: pid) }

    package func arguments(of pid: Int32) -> [String] { HostProcesses.arguments(of: pid) }

    /// QEMU keeps its locks on the bytes from 100 and from 200: RAW_LOCK_PERM_BASE and RAW_LOCK_SHARED_BASE in QEMU's
    /// block/file-posix.c.
    package func hold(_ path: String) throws -> any HeldResource {
        let file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw FaultGround.impossible("\(path) can't be opened", cause: LinuxHost.lastError) }
        let holder = HeldDescriptor(file)
        var every = LinuxHost.lock(F_WRLCK, 100, length: 200)
        guard fcntl(file, LinuxHost.getLockOfDescription, &every) == 0, every.l_type == Int16(F_UNLCK) else {
            throw FaultGround.impossible("somebody has \(path) already", cause: nil)
        }
        for byte in LinuxHost.writersBytes {
            var lock = LinuxHost.lock(F_RDLCK, byte, length: 1)
            guard fcntl(file, LinuxHost.setLockOfDescription, &lock) == 0 else {
                throw FaultGround.impossible("\(path) can't be locked", cause: LinuxHost.lastError)
            }
        }
        return holder
    }

    // What a QEMU locks whose guest writes: that it reads, writes and enlarges (from 100 on), and that nobody else may write or
    // enlarge (from 200 on). Readers with 'force-share' get by: block/file-posix.c.
    private static let writersBytes = [100, 101, 103, 201, 203]

    private static func lock(_ kind: Int32, _ start: Int, length: Int) -> flock {
        var lock = flock()
        lock.l_type = Int16(kind)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = start
        lock.l_len = length
        return lock
    }

    package func listen(on port: UInt16) throws -> any HeldResource {
        let server = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard server >= 0 else { throw FaultGround.impossible("no socket can be made", cause: LinuxHost.lastError) }
        // Connections of before that are still being forgotten are no listeners.
        var isReused: Int32 = 1
        setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &isReused, socklen_t(MemoryLayout<Int32>.size))
        let isBound = LoopbackAddress.with(port) { bind(server, $0, $1) } == 0
        guard isBound, Glibc.listen(server, 1) == 0 else {
            let cause = LinuxHost.lastError
            close(server)
            throw FaultGround.impossible("port \(port) is taken already", cause: cause)
        }
        return HeldDescriptor(server)
    }

    package func erase(_ part: DiskPart, of disk: String) async throws {
        let words = try LinuxHost.requests("write -z", part, of: disk)
        try await Command("qemu-io", ["-f", "qcow2"] + words + [disk]).run()
    }

    package func isErased(_ part: DiskPart, of disk: String) async throws -> Bool {
        let (start, end) = try LinuxHost.range(of: part, in: disk)
        let words = ["map", "-U", "--output=json", "--start-offset=\(start)", "--max-length=\(end - start)", disk]
        let said = try await Command("qemu-img", words, deadline: .seconds(300)).run().output
        return try JSONDecoder().decode([MappedRange].self, from: Data(said)).allSatisfy(\.zero)
    }

    // One request is at most 2 GiB.
    private static func requests(_ what: String, _ part: DiskPart, of disk: String) throws -> [String] {
        let (start, end) = try range(of: part, in: disk)
        return stride(from: start, to: end, by: 1 << 30).flatMap { ["-c", "\(what) \($0) \(min(1 << 30, end - $0))"] }
    }

    private static func range(of part: DiskPart, in disk: String) throws -> (start: Int, end: Int) {
        let size = Int(try QCOW2Header(of: disk).virtualSize.bytes)
        let edge = min(DiskPart.boundary, size)
        guard part == .beginning || edge < size else {
            throw FaultGround.impossible("\(disk) has nothing beyond its first 16 MiB")
        }
        return part == .beginning ? (0, edge) : (edge, size)
    }

    /// A part of a disk, as `qemu-img map` tells it.
    private struct MappedRange: Decodable {
        /// Whether nothing but zeros is read there, which needs no look at them.
        let zero: Bool
    }

    /// F_OFD_GETLK and F_OFD_SETLK of fcntl(2), which Glibc's module hides behind _GNU_SOURCE.
    private static let getLockOfDescription: Int32 = 36
    private static let setLockOfDescription: Int32 = 37

    private static var lastError: String { String(cString: strerror(errno)) }
}

/// A descriptor whose closing gives back what it stands for.
private final class HeldDescriptor: HeldResource {
    private let descriptor: Mutex<Int32>

    init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    deinit { release() }

    func release() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }
}
