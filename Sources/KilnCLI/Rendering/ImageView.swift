import Foundation
import KilnModel
import KilnStore

/// An image with all that is known of it.
struct ImageView: Renderable {
    let image: ImageManifest
    let standing: ImageStanding
    let attestations: [AttestationRecord]
    /// How commands got into its guests, as far as any has shown that.
    let way: GuestWay?

    struct Payload: Encodable {
        let image: ImageList.Item
        let way: GuestWay?
        let recipe: ImageDigest?
        let origin: ImageOrigin?
        let revocation: Revocation?
        let attestations: [AttestationRecord]
    }

    var payload: Payload {
        Payload(
            image: ImageList.Item(image, standing),
            way: way,
            recipe: image.recipe,
            origin: image.origin,
            revocation: standing.revocation,
            attestations: attestations
        )
    }

    var human: HumanView { .lines((head + origin + tests).map(ConsoleText.singleLine)) }

    private var head: [String] {
        let processors = image.size.processors
        let channels = standing.channels.map { "\(image.name)@\($0)" }
        let revoked = standing.revocation.map { "revoked \($0.revoked.formatted(.iso8601)): \($0.why)" }
        return [
            "\(image.title)  \(image.digest)",
            "state: \(standing.word)" + (channels.isEmpty ? "" : "; channels: \(channels.joined(separator: ", "))"),
            revoked,
            "disk \(image.virtualSize), boots by \(image.boots)\(image.ssh ? ", runs ssh" : "")",
            way.map { "commands get into its guests \($0.words)" },
            "a machine has \(image.size.memory) and \(processors) processor\(processors == 1 ? "" : "s")",
        ].compactMap(\.self) + [packages]
    }

    private var packages: String {
        let sources = Set(image.packages.compactMap(\.source)).count
        return "packages: \(image.packages.count)" + (sources > 0 ? ", of \(sources) sources" : "")
    }

    private static func title(_ parent: ImageOrigin.Parent) -> String {
        "\(parent.name):\(parent.version) (\(parent.digest.short))"
    }

    private var origin: [String] {
        guard let origin = image.origin else { return image.parent.map { ["parent: \($0.short)"] } ?? [] }
        let parents = origin.parents.map(ImageView.title)
        let taken = (origin.taken ?? []).map(ImageView.title)
        let tools = origin.tools.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let steps = origin.steps.enumerated().map { number, step in
            "step \(number + 1): \(step.summary)  (\(step.changes.text))"
        }
        return [
            parents.isEmpty ? nil : "from: \(parents.joined(separator: ", "))",
            taken.isEmpty ? nil : "with files of: \(taken.joined(separator: ", "))",
            origin.snapshot.map { "snapshot: \($0)" },
            tools.isEmpty ? nil : "tools: \(tools.joined(separator: ", "))",
            origin.notReproducible.isEmpty
                ? "reproducible: yes" : "reproducible: no: \(origin.notReproducible.joined(separator: "; "))",
        ].compactMap(\.self) + steps
    }

    private var tests: [String] {
        attestations.flatMap { record in
            let attestation = record.attestation
            let word = attestation.isPass ? "passed" : attestation.outcome.rawValue
            let place = attestation.acceleration.map { " with \($0)" } ?? ""
            let seconds = ProgressLines.seconds(.seconds(attestation.seconds))
            let count = attestation.assertions.count
            let head =
                "tests \(attestation.suite.short): \(word), \(count) assertion\(count == 1 ? "" : "s") in \(seconds)"
                + "\(place), \(record.recorded.formatted(.iso8601))"
                + (record.isImported == true ? ", as another store says" : "")
            return [head]
                + attestation.assertions.filter { $0.outcome != .passed }.map {
                    "  \($0.outcome.rawValue): \($0.subject): \($0.expected) expected, \($0.found) found"
                }
        }
    }
}

extension GuestWay {
    fileprivate var words: String {
        switch self {
        case .agent: "through the guest agent"
        case .ssh: "by SSH; no guest agent runs in them"
        case .closed: "neither through a guest agent nor by SSH"
        }
    }
}

extension ImageOrigin.Changes {
    fileprivate var text: String {
        let parts = [(added, "added"), (changed, "changed"), (removed, "removed")].filter { $0.0 > 0 }
        return parts.isEmpty ? "no change" : parts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }
}
