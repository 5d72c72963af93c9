import KilnModel
import KilnStore

/// Where an image comes from, and what comes from it.
struct ImageAncestry: Renderable {
    let image: ImageManifest
    let catalog: ImageCatalog

    /// An image of a tree; without a name where it is not in the store.
    struct Node: Encodable {
        let name: Name?
        let version: String?
        let digest: ImageDigest
        let state: String?
        let children: [Node]?
    }

    struct Payload: Encodable {
        let image: Node
        let parents: [Node]
    }

    var payload: Payload { Payload(image: tree(of: image, below: []), parents: parents) }

    var human: HumanView {
        let chain = parents.reversed().enumerated().map { depth, parent in line(parent, depth) }
        let root = tree(of: image, below: [])
        return .lines(chain + [line(root, parents.count) + "  ←"] + lines(root.children ?? [], parents.count + 1))
    }

    // The nearest first.
    private var parents: [Node] {
        let said = (image.origin?.parents ?? []) + (image.origin?.taken ?? [])
        return catalog.ancestors(of: image).map { digest in
            guard let found = catalog.manifest(digest) else {
                let parent = said.first { $0.digest == digest }
                return Node(
                    name: parent?.name,
                    version: parent?.version,
                    digest: digest,
                    state: catalog.revocations[digest] == nil ? nil : "revoked",
                    children: nil
                )
            }
            return node(found, children: nil)
        }
    }

    // What manifests say may be a circle, so nothing appears below itself.
    private func tree(of image: ImageManifest, below: Set<ImageDigest>) -> Node {
        let below = below.union([image.digest])
        let children = catalog.children(of: image.digest).filter { !below.contains($0.digest) }
        return node(image, children: children.map { tree(of: $0, below: below) })
    }

    private func node(_ image: ImageManifest, children: [Node]?) -> Node {
        Node(
            name: image.name,
            version: image.version,
            digest: image.digest,
            state: catalog.standing(of: image).word,
            children: children
        )
    }

    private func lines(_ nodes: [Node], _ depth: Int) -> [String] {
        nodes.flatMap { [line($0, depth)] + lines($0.children ?? [], depth + 1) }
    }

    private func line(_ node: Node, _ depth: Int) -> String {
        let title = node.name.map { "\($0):\(node.version ?? "")" } ?? "an image"
        let isHere = catalog.manifest(node.digest) != nil
        let state = [node.state, isHere ? nil : "not in the store"].compactMap(\.self).joined(separator: ", ")
        return ConsoleText.singleLine(
            "\(String(repeating: "  ", count: depth))\(title)  \(node.digest.short)  \(state)"
        )
    }
}
