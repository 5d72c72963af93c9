import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// The trees after each step of a bake, by the step's key; so a changed step is where the next bake begins.
///
/// ```
/// steps/KEY/tree.tar.zst, step.json, boot/        complete or not there
/// trees/DIGEST.tar.zst                            the tree of an image, from which others are made
/// ```
struct StepCache: Sendable {
    let store: ImageStore

    /// What is kept of a step besides its tree.
    struct Record: Sendable, Codable, Equatable {
        /// The recipe's version that made it first, such as `notes:1`.
        let made: String
        /// The provisioner's kind and what it was about.
        let summary: String
        /// What the key is made of.
        let material: KeyMaterial
        /// What it changed in the tree; nothing for what a tree begins as.
        let changes: ImageOrigin.Changes?
        /// How long it took, in seconds.
        let seconds: Double
        /// When it ended, in seconds since 1970: for people only.
        let ended: Double
    }

    private var folder: String { store.root + "/steps" }

    func place(_ key: ImageDigest) -> String { "\(folder)/\(key.hex)" }
    func archive(_ key: ImageDigest) -> String { place(key) + "/tree.tar.zst" }
    func boot(_ key: ImageDigest) -> String { place(key) + "/boot" }

    /// The record of a step that is there, which is one whose tree is.
    func record(_ key: ImageDigest) -> Record? {
        guard FileStamp(of: archive(key)) != nil else { return nil }
        return FileManager.default.contents(atPath: place(key) + "/step.json")
            .flatMap { try? JSONDecoder().decode(Record.self, from: $0) }
    }

    /// Takes a step's archive and boot files, which are moved or linked from a draft folder of the store's file system.
    ///
    /// The draft holds `tree.tar.zst` and `boot`.
    func take(_ draft: String, as key: ImageDigest, _ record: Record) throws {
        try DurableFile.makeDirectory(folder)
        try DurableFile.write(try JSONEncoder().encode(record), to: draft + "/step.json")
        for file in ["tree.tar.zst", "step.json"] { try DurableFile.synchronize("\(draft)/\(file)") }
        try DurableFile.synchronize(draft)
        if rename(draft, place(key)) != 0 {
            guard errno == ENOTEMPTY || errno == EEXIST else {
                throw FileError.failed(.fileUnwritable, "make", place(key))
            }
            if self.record(key) != nil {
                // Another bake was faster with the same.
                try FileManager.default.removeItem(atPath: draft)
            } else {
                // What a removal left that an older Kiln was killed in.
                remove(key)
                try DurableFile.rename(draft, to: place(key))
            }
        }
        try DurableFile.synchronize(folder)
    }

    /// Forgets a step, at once and whole: what a killed process leaves of it, the next bake removes.
    func remove(_ key: ImageDigest) {
        let grave = "\(store.work)/removed-\(UUID().uuidString)"
        guard (try? DurableFile.makeDirectory(store.work)) != nil, rename(place(key), grave) == 0 else { return }
        try? FileManager.default.removeItem(atPath: grave)
    }

    /// The archive of an image's tree.
    func tree(of image: ImageDigest) -> String { "\(store.root)/trees/\(image.hex).tar.zst" }

    /// Keeps a step's tree as that of an image, in place of what is kept as that.
    func keep(_ key: ImageDigest, asTreeOf image: ImageDigest) throws {
        let target = tree(of: image)
        try DurableFile.makeDirectory(store.root + "/trees")
        let work = try WorkFolder(in: store.work)
        defer { try? FileManager.default.removeItem(atPath: work.path) }
        let own = work.path + "/tree"
        guard link(archive(key), own) == 0 else { throw FileError.failed(.fileUnwritable, "make", target) }
        try DurableFile.rename(own, to: target)
    }

    /// The last record of a version's step, told by what made it and by its place, to say what differs.
    func latest(of made: String, _ number: Int) -> Record? {
        let file = "\(store.root)/bakes/\(made.replacing(":", with: "/")).json"
        let keys = FileManager.default.contents(atPath: file).flatMap {
            try? JSONDecoder().decode([ImageDigest].self, from: $0)
        }
        guard let keys, keys.indices.contains(number) else { return nil }
        return record(keys[number])
    }

    /// Notes the keys of a version's steps, in order.
    func note(_ keys: [ImageDigest], of made: String) throws {
        let file = "\(store.root)/bakes/\(made.replacing(":", with: "/")).json"
        try DurableFile.makeDirectory(URL(fileURLWithPath: file).deletingLastPathComponent().path)
        try DurableFile.write(try JSONEncoder().encode(keys), to: file)
    }
}
