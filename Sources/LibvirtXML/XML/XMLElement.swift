/// An element as a value: documents are composed and searched in this form, and only the two extensions beside this
/// file hold pointers of libxml2.
struct XMLElement: Sendable, Equatable {
    /// A namespace with the prefix that is written for it.
    struct Namespace: Sendable, Equatable {
        let prefix: String
        let uri: String
    }

    /// An attribute without a namespace; order is kept, so that documents are the same in every run.
    struct Attribute: Sendable, Equatable {
        let name: String
        let value: String
    }

    let name: String
    var namespace: Namespace?
    var attributes: [Attribute]
    /// The element's own text; libvirt's documents never mix text and elements.
    var text: String
    var children: [XMLElement]

    /// An element; attributes without a value are left out.
    init(
        _ name: String,
        in namespace: Namespace? = nil,
        _ attributes: KeyValuePairs<String, String?> = [:],
        text: String = "",
        _ children: [XMLElement] = []
    ) {
        self.name = name
        self.namespace = namespace
        self.attributes = attributes.compactMap { name, value in value.map { Attribute(name: name, value: $0) } }
        self.text = text
        self.children = children
    }

    /// An element with nothing but children.
    init(_ name: String, in namespace: Namespace? = nil, _ children: [XMLElement]) {
        self.init(name, in: namespace, [:], text: "", children)
    }

    /// The value of an attribute.
    subscript(attribute: String) -> String? {
        attributes.first { $0.name == attribute }?.value
    }

    /// The first child of that name.
    func child(_ name: String) -> XMLElement? {
        children.first { $0.name == name }
    }

    /// Every child of that name, in order.
    func all(_ name: String) -> [XMLElement] {
        children.filter { $0.name == name }
    }
}
