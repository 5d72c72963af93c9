import ArgumentParser
import KilnBakery
import KilnModel
import KilnStore

/// `kiln image test`.
struct ImageTestVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Test an image, and keep what was found beside it.",
        discussion: """
            The tests of its recipe are asked of its sealed files where these tell, else of a throw-away machine. Besides, every \
            image has to boot with an empty volume, without an error of cloud-init, a failed unit or a crash on its console; two \
            machines of it must not have the same identity, one has to boot again, and one has to serve on with a volume that \
            the version before wrote. Of an image that was added, and not baked, \
            only one machine is booted. Exits with 0 where all of it holds, with 1 where something does not, or only at a \
            second attempt.
            """
    )

    @Argument(help: "The image: name, name:version, or name@sha256:… with its digest.", completion: .images)
    var image: String

    @Option(
        help: ArgumentHelp("Write the assertions to a file as JUnit's XML, too.", valueName: "file"),
        completion: .file(extensions: ["xml"])
    )
    var junit: String?

    @Flag(help: "Test an image that was added as one that was baked.")
    var all = false

    @OptionGroup var global: GlobalOptions

    func execute(_ session: Session) async throws -> Int32 {
        let reference = try ImageReference(image)
        let workspace = try await session.workspace()
        // An image that failed is no longer what its channel stands for, and may be tested again.
        let found = try workspace.images.find(reference)
        try await workspace.images.verify(found)
        let attestation = try await workspace.test(found, all: all, session)
        let name = "\(found.manifest.name):\(found.manifest.version)"
        if let junit { try JUnitDocument(attestation, name: name).write(to: junit) }
        try session.show(ImageTestResult(name: name, attestation: attestation))
        return (attestation.isPass ? KilnModel.ExitCode.done : .unmet).rawValue
    }
}

extension Workspace {
    /// Tests an image, and keeps what was found in the store.
    func test(_ image: StoredImage, all: Bool = false, _ session: Session) async throws -> Attestation {
        let suite = ImageSuite(of: image.manifest, tests: image.manifest.tests ?? [], all: all)
        let test = ImageTest(
            of: image,
            suite: suite,
            engine: engine,
            parts: parts,
            root: try await ListedRoot.find(of: image, in: images, for: suite.tests),
            predecessor: suite.depth == .full ? try images.predecessor(of: image.manifest) : nil
        ) { session.say($0) }
        let attestation = try await test.run()
        try images.attest(attestation)
        return attestation
    }
}
