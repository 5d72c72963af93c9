/// Which Kiln this is.
public enum KilnVersion {
    /// The number of the release that this becomes, or is.
    public static let release = "0.2.0"

    /// The release, and the commit that it was built from: `0.2.0+git20261127083321.8ef216736a01`.
    ///
    /// The number is the commit's time in UTC, so that later ones sort later, also as versions of a Debian package. `.changed`
    /// follows where the sources were not those of the commit; `0.2.0+unknown` is built without git.
    public static var text: String { "\(release)+\(commit())" }
}
