import Foundation
import KilnModel
import KilnSystem
import Testing

@testable import KilnImages

@Suite("The header of what is to become an image")
struct ImageHeaderTests {
    @Test("a FIFO, a folder and a device are refused at once")
    func notRegular() throws {
        let folder = try TemporaryFolder()
        let fifo = folder.path + "/fifo"
        #expect(mkfifo(fifo, 0o600) == 0)
        let link = folder.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/zero")
        for path in [fifo, folder.path, link] {
            let error = #expect(throws: KilnError.self) { try QCOW2Header(ofImage: path) }
            #expect(error?.code == .fileNotRegular)
        }
    }
}
