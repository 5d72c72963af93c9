import Foundation
import Glibc

@testable import KilnHost

extension RootInspector {
    /// An inspector that works in a directory of a test, with the program that the tests were built with.
    init(testing directory: TestDirectory) throws {
        // The user of the machines has to pass where root runs the tests.
        chmod(directory.path, 0o755)
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        self.init(
            scratch: directory.path + "/roots",
            owner: geteuid() == 0 ? try MachineOwner.current() : nil,
            executable: URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("kiln").path
        )
    }
}
