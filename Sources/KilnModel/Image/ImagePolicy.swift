/// Which images a lab's new generations may be made from.
public enum ImagePolicy: String, Sendable, Hashable, Codable, CaseIterable {
    /// Any that is not revoked.
    case any
    /// Only those that passed their tests.
    case attested
}

/// What an image is asked for.
public enum ImagePurpose: Sendable, Hashable {
    /// A generation is to be made from it, or another image: what is revoked, or what the policy excludes, is refused.
    case newGeneration(ImagePolicy)
    /// One that was made from it goes on, comes back or is looked at, which nothing that is said of the image prevents.
    case existing
}
