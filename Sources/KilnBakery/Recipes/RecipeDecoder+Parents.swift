import KilnDocuments
import KilnModel

// What the images that a recipe begins as have to install anything with.
extension RecipeDecoder {
    /// The images that the recipe or a version of it is made from.
    func parents(of fields: Fields<RecipeFields>) -> [Name] {
        var references = [fields[.from]?.node.content]
        if case .map(let versions) = fields[.versions]?.node.content {
            for version in versions {
                guard case .map(let entries) = version.value.content else { continue }
                references.append(entries.first { $0.key == "from" }?.value.content)
            }
        }
        return references.compactMap { content in
            guard case .scalar(let scalar) = content else { return nil }
            return try? ImageReference(scalar.text).name
        }
    }

    /// Why nothing can be installed in what the recipe begins as, where a recipe of it says so.
    func hasNoPackages(_ fields: Fields<RecipeFields>, _ parents: [Name]) -> String? {
        if isUnpacked(fields) { return "the variant 'extract' only unpacks, so the tree has no dpkg" }
        return parents.first(where: lineage.isUnpackedOnly).map(RecipeDecoder.unpacked)
    }

    /// The same of tools, which an image in between may have, too.
    func hasNoTools(_ fields: Fields<RecipeFields>, _ parents: [Name]) -> String? {
        if isUnpacked(fields) { return "the variant 'extract' only unpacks, so the tree has no dpkg" }
        return parents.first(where: lineage.isUnpacked).map(RecipeDecoder.unpacked)
    }

    private func isUnpacked(_ fields: Fields<RecipeFields>) -> Bool {
        guard case .map(let entries) = fields[.debian]?.node.content,
            case .scalar(let scalar) = entries.first(where: { $0.key == "variant" })?.value.content
        else { return false }
        return scalar.text == "extract"
    }

    private static func unpacked(_ name: Name) -> String {
        "\(name) is unpacked packages without dpkg; make it from debian-13, or put programs there with 'files'"
    }
}
