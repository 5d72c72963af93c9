internal import CLibXML2

extension XMLElement {
    /// The document with this element as its root; libxml2 does the escaping.
    ///
    /// - Throws: `XMLError` of kind `unacceptableText` for a text that XML 1.0 can't carry, `library` when libxml2 is
    ///   out of memory.
    func serialized() throws(XMLError) -> String {
        guard let document = xmlNewDoc("1.0") else { throw XMLElement.outOfMemory }
        defer { xmlFreeDoc(document) }
        xmlDocSetRootElement(document, try node(in: document, declared: []))
        guard let buffer = xmlBufferCreate() else { throw XMLElement.outOfMemory }
        defer { xmlBufferFree(buffer) }
        guard xmlNodeDump(buffer, document, xmlDocGetRootElement(document), 0, 1) >= 0,
            let content = xmlBufferContent(buffer)
        else { throw XMLElement.outOfMemory }
        return String(cString: content) + "\n"
    }

    private static let outOfMemory = XMLError(.library, "libxml2 could not allocate a document")

    /// The libxml2 node of this element; owned by the caller until it is linked into the document.
    private func node(
        in document: xmlDocPtr,
        declared: [(namespace: Namespace, pointer: xmlNsPtr)]
    ) throws(XMLError) -> xmlNodePtr {
        guard let node = xmlNewDocNode(document, nil, try Self.acceptable(name, in: name), nil) else {
            throw XMLElement.outOfMemory
        }
        do throws(XMLError) {
            try fill(node, in: document, declared: declared)
        } catch {
            xmlFreeNode(node)
            throw error
        }
        return node
    }

    private func fill(
        _ node: xmlNodePtr,
        in document: xmlDocPtr,
        declared: [(namespace: Namespace, pointer: xmlNsPtr)]
    ) throws(XMLError) {
        var declared = declared
        if let namespace {
            if let known = declared.first(where: { $0.namespace == namespace }) {
                xmlSetNs(node, known.pointer)
            } else {
                guard let new = xmlNewNs(node, namespace.uri, namespace.prefix) else { throw XMLElement.outOfMemory }
                xmlSetNs(node, new)
                declared.append((namespace, new))
            }
        }
        for attribute in attributes {
            let value = try Self.acceptable(attribute.value, in: "\(name)/@\(attribute.name)")
            guard xmlNewProp(node, attribute.name, value) != nil else { throw XMLElement.outOfMemory }
        }
        if !text.isEmpty {
            // Unlike the content that xmlNewDocNode takes, the text of xmlNewDocText is not searched for entities.
            guard let content = xmlNewDocText(document, try Self.acceptable(text, in: name)) else {
                throw XMLElement.outOfMemory
            }
            xmlAddChild(node, content)
        }
        for child in children {
            xmlAddChild(node, try child.node(in: document, declared: declared))
        }
    }

    /// The text itself where XML 1.0 can carry every character of it (https://www.w3.org/TR/xml/#charsets); libxml2
    /// would write the others, and no parser would read them back.
    private static func acceptable(_ text: String, in place: String) throws(XMLError) -> String {
        let refused = text.unicodeScalars.first { scalar in
            switch scalar.value {
            case 0x9, 0xa, 0xd, 0x20...0xd7ff, 0xe000...0xfffd, 0x10000...0x10ffff: false
            default: true
            }
        }
        if let refused {
            throw XMLError(
                .unacceptableText,
                "the text of \(place) holds U+\(String(refused.value, radix: 16, uppercase: true)), which XML can't carry"
            )
        }
        return text
    }
}
