import ArgumentParser
import KilnEngine
import KilnModel

/// How a generation follows another, where the command says so.
struct ReplacementOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How the new generation follows the old one: stop-first or warm-first.",
            discussion:
                "Without it: as the lab file declares. warm-first boots the new machine while the old one serves.",
            valueName: "strategy"
        )
    )
    var strategy: Strategy?

    @Option(
        help: ArgumentHelp(
            "What becomes of the data on a revert: keep or restore.",
            discussion: "restore puts the volumes back to before the replacement; what was written since is retained.",
            valueName: "what"
        )
    )
    var dataOnRevert = DataOnRevert.keep

    @Flag(help: "Switch the old machine off where it does not shut down; its volumes are checked before they move.")
    var forceStop = false

    @Option(
        help: ArgumentHelp(
            "How the new machine comes to run: boot, or flash, which clones it from one that has booted before.",
            discussion:
                "Without it, it boots, whatever the lab file declares. What is cloned has not shown that its image boots.",
            valueName: "way"
        )
    )
    var launch: ServerSpec.Launch?

    @Flag(help: "Rehearse it first: try the new generation on clones of the volumes, and throw these away.")
    var rehearse = false

    @Flag(help: .hidden)
    var canary = false

    func validate() throws {
        if canary { throw ValidationError("--canary is called --rehearse now.") }
    }

    /// The options for the engine.
    func engineOptions(image: ImageReference? = nil) -> ReplaceOptions {
        ReplaceOptions(
            image: image,
            strategy: strategy,
            dataOnRevert: dataOnRevert,
            forceStop: forceStop,
            rehearsesFirst: rehearse,
            launch: launch
        )
    }
}

extension Strategy: ExpressibleByArgument {}
extension DataOnRevert: ExpressibleByArgument {}
extension ServerSpec.Launch: ExpressibleByArgument {}
