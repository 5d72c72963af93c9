import Foundation
import KilnDocuments
import KilnModel

/// What recipes say of the parents of one, as far as their files can be read: those beside it, else those that are installed.
struct RecipeLineage {
    private let shared: String
    private let parents: Recipe.Finder

    init(beside folder: RecipeFolder, parents: @escaping Recipe.Finder) {
        shared = folder.shared
        self.parents = parents
    }

    /// Whether an image is packages that were only unpacked, by its own recipe.
    func isUnpacked(_ name: Name) -> Bool {
        guard case .variant(let variant) = parent(of: name) else { return false }
        return variant == "extract"
    }

    /// Whether an image begins as packages that were only unpacked.
    func isUnpackedOnly(_ name: Name) -> Bool {
        var (name, seen) = (name, Set<Name>())
        // A circle ends where it began; a bake refuses it.
        while seen.insert(name).inserted, let parent = parent(of: name) {
            switch parent {
            case .variant(let variant): return variant == "extract"
            case .download: return false
            case .image(let next): name = next
            }
        }
        return false
    }

    /// Whether an image begins as a disk that is downloaded.
    func isDownloaded(_ name: Name) -> Bool {
        var (name, seen) = (name, Set<Name>())
        while seen.insert(name).inserted, let parent = parent(of: name) {
            switch parent {
            case .variant: return false
            case .download: return true
            case .image(let next): name = next
            }
        }
        return false
    }

    private enum Parent {
        case variant(String)
        case image(Name)
        case download
    }

    private func parent(of name: Name) -> Parent? {
        let beside = "\(shared)/\(name)/\(Recipe.fileName)"
        let file =
            FileManager.default.fileExists(atPath: beside)
            ? beside : parents(name).map { "\($0)/\(Recipe.fileName)" } ?? beside
        let problems = ProblemList(file: file)
        guard let root = TextFile.read(file, problems).flatMap({ YAMLDocument.root(of: $0, problems) }),
            case .map(let entries) = root.content
        else { return nil }
        for entry in entries {
            switch (entry.key, entry.value.content) {
            case ("download", _): return .download
            case ("from", .scalar(let scalar)): return (try? ImageReference(scalar.text)).map { .image($0.name) }
            case ("debian", .map(let debian)):
                guard case .scalar(let scalar) = debian.first(where: { $0.key == "variant" })?.value.content else {
                    continue
                }
                return .variant(scalar.text)
            default: continue
            }
        }
        return nil
    }
}
