import Foundation
import KilnModel
import KilnTestSupport
import Testing

@testable import KilnStore

@Suite("What is known of the way into an image's guests")
struct GuestWayTests {
    @Test("it is nothing at first, is kept beside the image, and follows what is seen")
    func kept() throws {
        let fixture = try StoreFixture()
        let image = try fixture.seal("base:1", mark: 1)
        #expect(try fixture.store.way(into: image.digest) == nil)
        try fixture.store.note(.ssh, into: image.digest)
        #expect(try fixture.store.way(into: image.digest) == .ssh)
        try fixture.store.note(.agent, into: image.digest)
        #expect(try fixture.store.way(into: image.digest) == .agent)
        #expect(try fixture.store.find(try ImageReference("base:1")).manifest == image)
    }
}
