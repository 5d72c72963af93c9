import Foundation
import KilnModel
import KilnStore

/// Channels as a listing.
struct ChannelList: Renderable {
    let channels: [Channel]
    let catalog: ImageCatalog

    struct Payload: Encodable {
        struct Item: Encodable {
            let image: Name
            let channel: Name
            let version: String?
            let digest: ImageDigest?
            let state: String?
            let history: [Channel.Entry]
        }

        let channels: [Item]
    }

    var payload: Payload {
        Payload(
            channels: channels.map {
                Payload.Item(
                    image: $0.image,
                    channel: $0.name,
                    version: $0.current?.version,
                    digest: $0.current?.digest,
                    state: state($0),
                    history: $0.history
                )
            }
        )
    }

    var human: HumanView {
        let rows = channels.map { channel in
            [
                channel.title, channel.current.map { "\(channel.image):\($0.version)" } ?? "-",
                channel.current?.digest.short ?? "-", state(channel) ?? "points to nothing",
                channel.history.last?.moved.formatted(.iso8601) ?? "-", String(channel.history.count),
            ]
        }
        return .table(
            TextTable(header: ["channel", "image", "digest", "state", "since", "moves"], rows: rows),
            empty: "no channels; 'kiln image promote' makes one"
        )
    }

    private func state(_ channel: Channel) -> String? {
        channel.current.map { target in
            catalog.manifest(target.digest).map { catalog.standing(of: $0).word } ?? "missing"
        }
    }
}

/// What was revoked, or taken back.
struct RevocationResult: Renderable {
    let revocations: [Revocation]
    let isRestored: Bool
    /// What does not follow by itself.
    var remarks: [String] = []

    struct Payload: Encodable {
        let revoked: [Revocation]?
        let restored: [Revocation]?
    }

    var payload: Payload {
        Payload(revoked: isRestored ? nil : revocations, restored: isRestored ? revocations : nil)
    }

    var human: HumanView {
        let lines = revocations.map { revocation in
            let names = revocation.names.isEmpty ? "an image" : revocation.names.joined(separator: ", ")
            let verb = isRestored ? "restored" : "revoked"
            return "\(verb) \(names) (\(revocation.digest.short)): \(revocation.why)"
        }
        return .lines((lines + remarks).map(ConsoleText.singleLine))
    }
}
