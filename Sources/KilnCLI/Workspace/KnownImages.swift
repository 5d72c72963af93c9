import KilnHost
import KilnModel
import KilnStore

/// The images of this process's store, for a look at what they can do: nothing is made, locked or verified.
enum KnownImages {
    /// What the store says of an image; nothing where it has none.
    static func manifest(_ image: ImageReference) -> ImageManifest? {
        guard let home = try? KilnHome.location() else { return nil }
        return try? ImageStore(root: home + "/images").find(image).manifest
    }
}
