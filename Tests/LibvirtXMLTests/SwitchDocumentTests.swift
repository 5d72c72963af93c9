import Foundation
import LibvirtXML
import Testing

@Suite("Switch documents")
struct SwitchDocumentTests {
    @Test("one disk moves, every other one is named and left alone, and libvirt's schema accepts it")
    func document() throws {
        let xml = try SwitchDocument.xml(moving: "vdc", to: "/volumes/a & <b>/x.qcow2", others: ["vda", "vdb"])
        #expect(try Schema("domainsnapshot.rng").accepts(xml))
        #expect(xml.contains("/volumes/a &amp; &lt;b&gt;/x.qcow2"))
        #expect(xml.components(separatedBy: "snapshot=\"no\"").count == 3)
        #expect(xml.components(separatedBy: "snapshot=\"external\"").count == 2)
    }
}
