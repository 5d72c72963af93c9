import Foundation
import Glibc
import KilnModel
import KilnSystem

extension Doctor {
    /// Below these a lab of two small Debian machines and their images does not fit.
    private static let wantedDisk = ByteCount.mebibytes(4096)
    private static let wantedMemory = ByteCount.mebibytes(2048)

    /// Space, its file system, and memory.
    func resources() -> [DoctorFinding] {
        [disk(), (try? homePath()).flatMap { Doctor.links($0) }, memory()].compactMap(\.self)
    }

    /// Whether a file in a directory can have a second name; nothing where the directory can't be written.
    static func links(
        _ directory: String,
        by link: (_ file: String, _ name: String) -> Int32 = { Glibc.link($0, $1) }
    ) -> DoctorFinding? {
        let (file, name) = ("\(directory)/.kiln-\(UUID().uuidString)", "\(directory)/.kiln-\(UUID().uuidString)")
        let made = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard made >= 0 else { return nil }
        close(made)
        defer {
            unlink(file)
            unlink(name)
        }
        guard link(file, name) != 0 else {
            return DoctorFinding("links", .pass, "files in \(directory) can have two names")
        }
        return DoctorFinding(
            "links",
            .warn,
            "the file system of \(directory) has no hard links: clones of volumes, rehearsals and returns to snapshots are "
                + "refused",
            remedy: "set KILN_HOME to a place on ext4, xfs or btrfs"
        )
    }

    private func disk() -> DoctorFinding {
        guard let path = try? homePath(), let free = FreeSpace(at: path) else {
            return DoctorFinding("disk", .fail, "the space of KILN_HOME can't be measured", remedy: "set KILN_HOME")
        }
        let enough = free.bytes >= Doctor.wantedDisk.bytes
        return DoctorFinding(
            "disk",
            enough ? .pass : .warn,
            "\(free.bytes >> 20) MiB free in \(path)",
            remedy: enough ? nil : "free space there; \(Doctor.wantedDisk) is a comfortable minimum"
        )
    }

    private func memory() -> DoctorFinding {
        guard let available = HostMemory.available() else {
            return DoctorFinding("memory", .warn, "the available memory can't be measured")
        }
        let enough = available >= Doctor.wantedMemory
        return DoctorFinding(
            "memory",
            enough ? .pass : .warn,
            "\(available.bytes >> 20) MiB available",
            remedy: enough ? nil : "end other programs, or give the machines less memory"
        )
    }
}
