import Foundation
import KilnModel
import KilnSystem

/// A movable name for one of the images of a name, such as `notes@stable`.
public struct Channel: Sendable, Hashable, Codable {
    /// What a channel points to.
    public struct Target: Sendable, Hashable, Codable {
        /// The image.
        public let digest: ImageDigest
        /// The version that it had then.
        public let version: String
    }

    /// A move of a channel.
    public struct Entry: Sendable, Hashable, Codable {
        /// What it pointed to from then on; nothing where it went back to that.
        public let target: Target?
        /// When, for people.
        public let moved: Date
        /// Whether it went back to what it had pointed to before.
        public let isBack: Bool?
    }

    // First, and so decoded first: what a later version wrote need not have what follows.
    private let format: RecordFormat?
    /// The images' name.
    public let image: Name
    /// Its own.
    public let name: Name
    /// Every move of it, the first one first; only ever appended to.
    public private(set) var history: [Entry]

    init(_ name: Name, of image: Name) {
        format = RecordFormat()
        self.image = image
        self.name = name
        history = []
    }

    /// What it points to.
    public var current: Target? { trail.last }

    /// What it would go back to.
    public var previous: Target? { trail.dropLast().last }

    /// `NAME@CHANNEL`.
    public var title: String { "\(image)@\(name)" }

    // The way from its first target to the present one: to go back undoes a step of it.
    private var trail: [Target] {
        history.reduce(into: []) { trail, entry in
            if entry.isBack == true { _ = trail.popLast() } else if let target = entry.target { trail.append(target) }
        }
    }

    mutating func move(to target: Target) {
        history.append(Entry(target: target, moved: Date(), isBack: nil))
    }

    mutating func moveBack() {
        history.append(Entry(target: previous, moved: Date(), isBack: true))
    }
}
