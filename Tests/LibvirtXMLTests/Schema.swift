import CLibXML2
import Testing

/// libvirt's own schema, from Debian's `libvirt0`.
///
/// A parsed schema is only read while documents are validated, each with a context of its own; that makes the pointer
/// safe to share, and it lives as long as the process.
struct Schema: @unchecked Sendable {
    static let domain = Schema("domain.rng")

    private let pointer: xmlRelaxNGPtr?

    init(_ file: String) {
        xmlInitParser()
        let parser = xmlRelaxNGNewParserCtxt("/usr/share/libvirt/schemas/\(file)")
        defer { xmlRelaxNGFreeParserCtxt(parser) }
        pointer = xmlRelaxNGParse(parser)
    }

    /// Whether libvirt's schema accepts the document; records an issue where schema or document can't be read.
    func accepts(_ text: String) throws -> Bool {
        let schema = try #require(pointer, "libvirt's schemas are not installed: apt-get install libvirt0")
        let document = try #require(xmlReadMemory(text, Int32(text.utf8.count), nil, nil, 0))
        defer { xmlFreeDoc(document) }
        let context = xmlRelaxNGNewValidCtxt(schema)
        defer { xmlRelaxNGFreeValidCtxt(context) }
        xmlRelaxNGSetValidStructuredErrors(context, { _, _ in }, nil)
        return xmlRelaxNGValidateDoc(context, document) == 0
    }
}
