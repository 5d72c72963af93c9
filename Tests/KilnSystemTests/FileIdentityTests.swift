import Foundation
import KilnSystem
import KilnTestSupport
import Testing

@Suite("Whether two paths lead to one file")
struct FileIdentityTests {
    @Test("by another spelling, a link or a second name they do; to a copy, or to nothing, they don't")
    func same() throws {
        let temporary = try TemporaryDirectory()
        let directory = temporary.path
        let (file, copy) = ("\(directory)/file", "\(directory)/copy")
        for path in [file, copy] { try Data("a".utf8).write(to: URL(fileURLWithPath: path)) }
        try FileManager.default.createSymbolicLink(atPath: "\(directory)/folder", withDestinationPath: directory)
        try FileManager.default.linkItem(atPath: file, toPath: "\(directory)/second")
        #expect(FileIdentity.areSame(file, "\(directory)/folder/./file"))
        #expect(FileIdentity.areSame(file, "\(directory)/second"))
        #expect(!FileIdentity.areSame(file, copy))
        #expect(!FileIdentity.areSame(file, "\(directory)/none"))
        #expect(FileIdentity.areSame("\(directory)/none", "\(directory)/none"))
    }
}
