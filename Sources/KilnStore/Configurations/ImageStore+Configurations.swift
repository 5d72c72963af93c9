import KilnModel
import KilnSystem

extension ImageStore {
    /// Keeps it that a configuration passed on an image, durably; an earlier pass of the two is replaced.
    ///
    /// - Throws: `KilnError` with code `state.not-writable`.
    public func attest(_ pass: ConfigurationPass) throws {
        try DurableFile.makeDirectory(configurations(pass.configuration))
        let path = "\(configurations(pass.configuration))/\(pass.image.hex).json"
        try DurableFile.writeJSON(pass, to: path, mode: 0o600)
    }

    /// The passes of a configuration, one for each image.
    ///
    /// - Throws: `KilnError` with code `state.unreadable`.
    public func passes(of configuration: ImageDigest) throws -> [ConfigurationPass] {
        let folder = configurations(configuration)
        return try children(of: folder).filter { $0.hasSuffix(".json") }.compactMap { name in
            let pass = try DurableFile.readJSON(ConfigurationPass.self, from: "\(folder)/\(name)")
            // A file that was carried here is not taken for another's.
            return pass.flatMap { "\($0.image.hex).json" == name && $0.configuration == configuration ? $0 : nil }
        }
    }

    /// What is known of a configuration on an image.
    ///
    /// - Throws: `KilnError` with code `state.unreadable`.
    public func verdict(on configuration: ImageDigest, with image: ImageDigest) throws -> ConfigurationVerdict {
        let passes = try passes(of: configuration)
        if passes.contains(where: { $0.image == image }) { return .passed }
        return passes.isEmpty ? .untested : .elsewhere
    }

    /// What is said of content, whether or not it is there.
    ///
    /// - Throws: `KilnError` with code `state.unreadable`.
    public func judgement(on image: ImageDigest) throws -> ImageJudgement {
        ImageJudgement(verdict: try verdict(on: image), revoked: try revocation(of: image)?.why)
    }

    private func configurations(_ configuration: ImageDigest) -> String {
        "\(root)/configurations/\(configuration.hex)"
    }
}
