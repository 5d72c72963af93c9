import ArgumentParser
import KilnModel
import KilnScenarios
import KilnStore

/// `kiln lock`: pins the images of a file to what they are now.
struct LockVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "lock",
        abstract: "Write down which content the images of a lab or scenario file have now, in FILE.lock.",
        discussion: "'up', 'replace' and 'run' take exactly these with --locked."
    )

    @Argument(help: "The file.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String?

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let path = file ?? LabFileOption.defaultPath
        let lab = try LabReader.lab(at: path, isExplicit: file != nil)
        session.say(warnings: lab.warnings)
        let store = try await session.workspace().images
        let lock = try LabLock(LabReader.images(of: lab.lab, at: path)) {
            try store.usable($0, lab.lab.images).manifest.digest
        }
        try lock.write(beside: path)
        try session.show(LockedImages(file: LabLock.path(of: path), lock: lock))
        return 0
    }
}

/// The images of a file, and what they are locked to.
struct LockedImages: Renderable {
    let file: String
    let lock: LabLock

    struct Payload: Encodable {
        let file: String
        let images: [String: ImageDigest]
    }

    var payload: Payload { Payload(file: file, images: lock.images) }

    var human: HumanView {
        let rows = lock.images.sorted { $0.key < $1.key }.map { [$0.key, $0.value.description] }
        return .table(TextTable(header: ["image", "is"], rows: rows), empty: "\(file) names no image but by digest")
    }
}
