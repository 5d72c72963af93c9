import Foundation
import KilnModel

extension Doctor {
    /// Below these a lab of two small Debian machines and their images does not fit.
    private static let wantedDisk = ByteCount.mebibytes(4096)
    private static let wantedMemory = ByteCount.mebibytes(2048)

    /// Space and memory.
    func resources() -> [DoctorFinding] { [disk(), memory()] }

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
        let text = FileManager.default.contents(atPath: "/proc/meminfo").map { String(decoding: $0, as: UTF8.self) }
        guard let kibibytes = Doctor.availableMemory(text ?? "") else {
            return DoctorFinding("memory", .warn, "the available memory can't be measured")
        }
        let enough = kibibytes << 10 >= Doctor.wantedMemory.bytes
        return DoctorFinding(
            "memory",
            enough ? .pass : .warn,
            "\(kibibytes >> 10) MiB available",
            remedy: enough ? nil : "end other programs, or give the machines less memory"
        )
    }

    /// The line `MemAvailable` of /proc/meminfo, in KiB.
    static func availableMemory(_ text: String) -> UInt64? {
        text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }?
            .split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { UInt64($0) }
    }
}
