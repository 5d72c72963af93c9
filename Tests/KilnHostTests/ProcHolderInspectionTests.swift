import Foundation
import KilnEngine
import KilnModel
import KilnSystem
import Testing

@testable import KilnHost

@Suite("Who holds a disk")
struct ProcHolderInspectionTests {
    private let inspection = ProcHolderInspection()

    @Test("qemu-io that has a disk open is named, by every path, and its lock is seen until it ends")
    func seesQEMU() async throws {
        let directory = try TestDirectory()
        let disk = directory.path + "/disk.qcow2"
        try await Command("qemu-img", ["create", "-q", "-f", "qcow2", disk, "1M"]).run()
        let hard = directory.path + "/hard"
        try FileManager.default.linkItem(atPath: disk, toPath: hard)
        let soft = directory.path + "/soft"
        try FileManager.default.createSymbolicLink(atPath: soft, withDestinationPath: disk)
        #expect(try inspection.isLockObtainable(disk))
        #expect(try inspection.holders(of: disk).isEmpty)

        let holder = Process()
        let input = Pipe()
        let output = Pipe()
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/qemu-io")
        holder.arguments = ["-f", "qcow2", disk]
        holder.standardInput = input
        holder.standardOutput = output
        try holder.run()
        // Its prompt comes once the disk is open.
        #expect(try output.fileHandleForReading.read(upToCount: 1) != nil)
        for path in [disk, hard, soft] {
            #expect(
                try inspection.holders(of: path).map(\.description) == ["qemu-io (pid \(holder.processIdentifier))"]
            )
            #expect(try inspection.isLockObtainable(path) == false)
        }
        try input.fileHandleForWriting.close()
        holder.waitUntilExit()
        #expect(try inspection.holders(of: disk).isEmpty)
        #expect(try inspection.isLockObtainable(disk))
    }

    @Test("a file that is not there has no holders and can't be locked")
    func missing() throws {
        #expect(try inspection.holders(of: "/nonexistent/disk").isEmpty)
        let error = #expect(throws: KilnError.self) { try inspection.isLockObtainable("/nonexistent/disk") }
        #expect(error?.code == .holdersUnreadable)
    }
}
