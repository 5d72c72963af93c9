import KilnModel
import KilnStore

/// The images of which the steps of a bake take files, by what the recipe calls them.
struct TakenImages: Sendable {
    private var images: [ImageReference: StoredImage] = [:]

    /// The images, each once, by name and version.
    var all: [StoredImage] {
        Set(images.values).sorted { ($0.manifest.name, $0.manifest.version) < ($1.manifest.name, $1.manifest.version) }
    }

    mutating func add(_ image: StoredImage, as reference: ImageReference) { images[reference] = image }

    /// The image of that name.
    ///
    /// - Throws: `KilnError` with code `image.missing`.
    func image(_ reference: ImageReference) throws -> StoredImage {
        guard let image = images[reference] else {
            throw KilnError(.imageMissing, "the image \(reference) was not looked for", exit: .invalidFile)
        }
        return image
    }
}

extension Baker {
    /// The images of which the steps of a version take files.
    ///
    /// They are not baked by the way, as a parent is: one of the recipe's own name would wait for the bake that needs it.
    ///
    /// - Throws: `KilnError` with code `image.missing`, `image.…`, `recipe.cycle`.
    func taken(by recipe: Recipe, _ version: Recipe.Version) async throws -> TakenImages {
        var taken = TakenImages()
        for reference in recipe.provisioners(of: version).compactMap(\.image) {
            guard reference.name != recipe.name || reference.selector != .version(version.name) else {
                throw Baker.takesOfItself("\(recipe.name):\(version.name)")
            }
            do {
                taken.add(try await usable(reference), as: reference)
            } catch let error as KilnError where error.code == .imageMissing {
                throw Baker.lacks(reference, for: "\(recipe.name):\(version.name)")
            }
        }
        return taken
    }

    private static func lacks(_ reference: ImageReference, for title: String) -> KilnError {
        let version = if case .version(let version) = reference.selector { " --version \(version)" } else { "" }
        return KilnError(
            .imageMissing,
            "\(title) takes files of the image \(reference), which is not in the store",
            hint: "bake it first, with 'kiln image bake \(reference.name)\(version)'",
            exit: .invalidFile
        )
    }

    private static func takesOfItself(_ title: String) -> KilnError {
        KilnError(
            .recipeCycle,
            "\(title) takes files of itself",
            hint: "name another version, or another image",
            exit: .invalidFile
        )
    }
}
