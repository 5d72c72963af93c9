import Foundation
import KilnModel
import KilnSystem

extension ImageStore {
    /// The channels of an image, or of all, by image and name.
    ///
    /// - Throws: `KilnError` with code `state.unreadable`.
    public func channels(of image: Name? = nil) throws -> [Channel] {
        let folder = root + "/channels"
        let images = image.map { [$0] } ?? children(of: folder).compactMap { try? Name($0) }
        return try images.flatMap { image in
            try children(of: "\(folder)/\(image)").filter { $0.hasSuffix(".json") }
                .compactMap { try? Name(String($0.dropLast(5))) }
                .compactMap { try channel($0, of: image) }
        }
    }

    /// A channel; nothing where there is none.
    ///
    /// - Throws: `KilnError` with code `state.unreadable`.
    public func channel(_ name: Name, of image: Name) throws -> Channel? {
        try DurableFile.readJSON(Channel.self, from: path(of: name, image))
    }

    /// Points a channel to the image that `reference` names, which has to have passed its tests.
    ///
    /// Nobody uses the store meanwhile. Where the channel points there already, nothing is changed.
    ///
    /// - Parameter waiting: is told for whom it waits, when it has to.
    /// - Throws: `KilnError` with code `image.not-attested`, `image.revoked`, `image.missing`, or of the store's lock.
    public func promote(
        _ reference: ImageReference,
        to name: Name,
        waiting: @Sendable (KilnError) -> Void = { _ in }
    ) async throws -> Channel {
        try await alone(waiting) {
            let image = try usable(reference, .attested).manifest
            var channel = try channel(name, of: image.name) ?? Channel(name, of: image.name)
            if channel.current?.digest == image.digest { return channel }
            channel.move(to: Channel.Target(digest: image.digest, version: image.version))
            return try write(channel)
        }
    }

    /// Points a channel to what it pointed to before; what is revoked or fails its tests by now is refused.
    ///
    /// Before its first target it pointed to nothing, and does so again.
    ///
    /// - Parameter waiting: is told for whom it waits, when it has to.
    /// - Throws: `KilnError` with code `image.channel-missing` where it points to nothing, or as
    ///   ``promote(_:to:waiting:)``.
    public func moveBack(
        _ name: Name,
        of image: Name,
        waiting: @Sendable (KilnError) -> Void = { _ in }
    ) async throws -> Channel {
        try await alone(waiting) {
            guard var channel = try channel(name, of: image), channel.current != nil else {
                throw try missing(name, of: image)
            }
            if let target = channel.previous {
                _ = try usable(ImageReference(name: image, selector: .digest(target.digest)), .attested)
            }
            channel.moveBack()
            return try write(channel)
        }
    }

    /// What a channel points to.
    ///
    /// - Throws: `KilnError` with code `image.channel-missing`.
    func target(of name: Name, image: Name) throws -> Channel.Target {
        guard let target = try channel(name, of: image)?.current else { throw try missing(name, of: image) }
        return target
    }

    private func write(_ channel: Channel) throws -> Channel {
        let failpoint = Failpoint()
        let path = path(of: channel.name, channel.image)
        try DurableFile.makeDirectory(DurableFile.directory(of: path))
        try failpoint?.hit("channel.before")
        try DurableFile.writeJSON(channel, to: path)
        try failpoint?.hit("channel.after")
        return channel
    }

    private func path(of name: Name, _ image: Name) -> String { "\(root)/channels/\(image)/\(name).json" }

    private func missing(_ name: Name, of image: Name) throws -> KilnError {
        let pointing = try channels(of: image).filter { $0.current != nil }.map(\.name.text)
        let found =
            pointing.isEmpty ? "no channel of \(image) does" : "those that do are \(pointing.joined(separator: ", "))"
        return KilnError(
            .imageChannelMissing,
            "\(image)@\(name) points to no image\(Suggestion.text(for: name.text, among: pointing)): \(found)",
            hint: "point it to one that passed its tests: 'kiln image promote \(image):VERSION --to \(name)'",
            exit: .invalidFile
        )
    }
}
