internal import CLibXML2

extension XMLElement {
    /// The largest document that is read: far more than libvirt writes for any machine of ours.
    static let largestDocument = 4 << 20

    /// Reads a document into values.
    ///
    /// Nothing outside the text is opened, entities are not expanded, and a document that declares a document type is
    /// refused, because libvirt never writes one. Depth is bounded by libxml2 (256).
    ///
    /// - Throws: `XMLError` of kind `tooLarge` or `malformed`; the latter with the line.
    static func parsed(_ text: String) throws(XMLError) -> XMLElement {
        let bytes = Array(text.utf8)
        guard bytes.count <= largestDocument else {
            throw XMLError(.tooLarge, "the document has \(bytes.count) bytes; at most \(largestDocument) are read")
        }
        _ = libraryIsReady
        guard let context = xmlNewParserCtxt() else { throw XMLError(.library, "libxml2 could not allocate a parser") }
        defer { xmlFreeParserCtxt(context) }
        let options = [XML_PARSE_NONET, XML_PARSE_NOERROR, XML_PARSE_NOWARNING].reduce(0) { $0 | Int32($1.rawValue) }
        let document = bytes.withUnsafeBytes { raw in
            xmlCtxtReadMemory(
                context,
                raw.baseAddress?.assumingMemoryBound(to: CChar.self),
                Int32(raw.count),
                nil,
                "UTF-8",
                options
            )
        }
        guard let document else { throw failure(of: context) }
        defer { xmlFreeDoc(document) }
        guard document.pointee.intSubset == nil, let root = xmlDocGetRootElement(document) else {
            throw XMLError(.malformed, "the document declares a document type, which is not accepted")
        }
        return element(root)
    }

    /// libxml2 must be initialised once before threads use it.
    private static let libraryIsReady: Void = xmlInitParser()

    private static func failure(of context: xmlParserCtxtPtr) -> XMLError {
        guard let last = xmlCtxtGetLastError(context), let message = last.pointee.message else {
            return XMLError(.malformed, "the document is not well-formed")
        }
        let lines = String(cString: message).split(whereSeparator: \.isNewline)
        return XMLError(.malformed, lines.first.map(String.init) ?? "", line: Int(last.pointee.line))
    }

    private static func element(_ node: xmlNodePtr) -> XMLElement {
        var element = XMLElement(string(node.pointee.name))
        if let namespace = node.pointee.ns {
            element.namespace = Namespace(
                prefix: string(namespace.pointee.prefix),
                uri: string(namespace.pointee.href)
            )
        }
        var attribute = node.pointee.properties
        while let current = attribute {
            let value = xmlNodeListGetString(node.pointee.doc, current.pointee.children, 1)
            defer { clibxml2_free(value) }
            element.attributes.append(Attribute(name: string(current.pointee.name), value: string(value)))
            attribute = current.pointee.next
        }
        readContent(of: node, into: &element)
        return element
    }

    private static func readContent(of node: xmlNodePtr, into element: inout XMLElement) {
        var child = node.pointee.children
        while let current = child {
            switch current.pointee.type {
            case XML_ELEMENT_NODE: element.children.append(Self.element(current))
            case XML_TEXT_NODE, XML_CDATA_SECTION_NODE: element.text += string(current.pointee.content)
            default: break
            }
            child = current.pointee.next
        }
        // Between elements there is only indentation.
        if !element.children.isEmpty { element.text = "" }
    }

    private static func string(_ text: UnsafePointer<xmlChar>?) -> String {
        text.map { String(cString: $0) } ?? ""
    }

    private static func string(_ text: UnsafeMutablePointer<xmlChar>?) -> String {
        string(UnsafePointer(text))
    }
}
