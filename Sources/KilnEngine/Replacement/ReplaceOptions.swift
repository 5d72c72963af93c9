import KilnModel

/// How a replacement is to be done, beyond what the lab file declares.
public struct ReplaceOptions: Sendable, Hashable {
    /// The image of the new generation; nothing means the one that the lab file declares.
    public var image: ImageReference?
    /// How the new generation follows the old one; nothing means what the lab file declares.
    public var strategy: Strategy?
    /// What becomes of the data on a revert.
    public var dataOnRevert: DataOnRevert
    /// Whether an old machine that ignores the request to shut down is switched off, and its volumes are checked.
    public var forceStop: Bool
    /// Whether the new generation is tried on clones of the volumes first.
    public var rehearsesFirst: Bool
    /// How the new generation comes to run; nothing means what the server declares where none served before, else a boot.
    public var launch: ServerSpec.Launch?
    /// Whether it goes back to what served before: nothing that is said of its image or configuration by now stands in the way.
    var isWayBack = false

    /// Options from their parts.
    public init(
        image: ImageReference? = nil,
        strategy: Strategy? = nil,
        dataOnRevert: DataOnRevert = .keep,
        forceStop: Bool = false,
        rehearsesFirst: Bool = false,
        launch: ServerSpec.Launch? = nil
    ) {
        self.image = image
        self.strategy = strategy
        self.dataOnRevert = dataOnRevert
        self.forceStop = forceStop
        self.rehearsesFirst = rehearsesFirst
        self.launch = launch
    }
}
