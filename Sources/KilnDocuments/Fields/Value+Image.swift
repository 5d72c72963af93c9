import KilnModel

extension Value {
    /// An image reference.
    package func image() -> ImageReference? {
        guard let text = text("an image: \(ImageReference.forms)") else { return nil }
        guard let image = try? ImageReference(text) else {
            mismatch("an image: \(ImageReference.forms)")
            return nil
        }
        return image
    }
}

extension Schema {
    /// An image reference.
    package static func image(_ about: String) -> JSONValue {
        titled("image", pattern("^[a-z][a-z0-9-]*(:.+|@sha256:[0-9a-f]{64}|@[a-z][a-z0-9-]*)?$", about))
    }
}
