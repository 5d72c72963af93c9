import KilnDocuments
import KilnModel

/// Reads what a recipe downloads, for each of its versions, so that a mistake shows before anything is asked for.
struct DownloadDecoder {
    let versions: [Recipe.Version]

    /// By what a file is known to be the right one, as it is written.
    private struct Proof {
        let sums: Value?
        let checksums: [(algorithm: Checksum.Algorithm, value: Value)]

        init(_ sums: Value?, _ sha256: Value?, _ sha512: Value?) {
            self.sums = sums
            let written: [(Checksum.Algorithm, Value?)] = [(.sha256, sha256), (.sha512, sha512)]
            checksums = written.compactMap { algorithm, value in value.map { (algorithm, $0) } }
        }

        var isEmpty: Bool { sums == nil && checksums.isEmpty }
    }

    private struct Place {
        let url: Value
        let proof: Proof
    }

    /// The download; complete only where no problem was reported.
    func decode(_ value: Value) -> Recipe.Download? {
        guard let fields = Fields<DownloadFields>(value, "a map with 'urls' and what the file has to be") else {
            return nil
        }
        let common = Proof(fields[.sums], fields[.sha256], fields[.sha512])
        let places = fields[.urls]?.list(of: "addresses")?.compactMap { place($0, common) }
        let firmware = fields[.firmware]?.word(DownloadFirmware.self)
        guard let places else { return nil }
        let sources = versions.map { version in (version.name, places.compactMap { source($0, for: version) }) }
        return Recipe.Download(
            sources: Dictionary(sources, uniquingKeysWith: { first, _ in first }),
            firmware: firmware?.model
        )
    }

    /// A place is an address, or a map that has one.
    private func place(_ value: Value, _ common: Proof) -> Place? {
        var place = Place(url: value, proof: common)
        if case .map = value.node.content {
            guard let fields = Fields<DownloadPlaceFields>(value, "a map with 'url'"), let url = fields[.url] else {
                return nil
            }
            let own = Proof(fields[.sums], fields[.sha256], fields[.sha512])
            place = Place(url: url, proof: own.isEmpty ? common : own)
        }
        guard !place.proof.isEmpty else {
            value.problem("nothing says what the file has to be: add 'sums', 'sha256' or 'sha512'")
            return nil
        }
        return place
    }

    private func source(_ place: Place, for version: Recipe.Version) -> DiskSource? {
        let url = url(place.url, for: version)
        let checksums = place.proof.checksums.map { checksum($0.value, $0.algorithm, for: version) }
        let sums = place.proof.sums.map { list($0, beside: url, for: version) }
        guard let url, !checksums.contains(nil), sums != .some(nil) else { return nil }
        return DiskSource(.url(url), checksums: checksums.compactMap(\.self), sums: (sums ?? nil).map { .url($0) })
    }

    private func url(_ value: Value, for version: Recipe.Version) -> DownloadURL? {
        text(value, .downloadURL, for: version).flatMap { address($0, value, version) }
    }

    private func list(_ value: Value, beside url: DownloadURL?, for version: Recipe.Version) -> DownloadURL? {
        guard let text = text(value, .sums, for: version) else { return nil }
        if DownloadURL.isOne(text) { return address(text, value, version) }
        guard let url else { return nil }
        guard let list = try? url.beside(text) else {
            value.problem(
                "\(Name.quoted(text)), for version \(version.name), can't be the name of a file beside the disk"
            )
            return nil
        }
        return list
    }

    private func address(_ text: String, _ value: Value, _ version: Recipe.Version) -> DownloadURL? {
        if let why = DownloadURL.refusal(text) {
            value.problem("\(DownloadURL.shown(text)), for version \(version.name), is not downloaded: \(why)")
            return nil
        }
        return try? DownloadURL(text)
    }

    private func checksum(_ value: Value, _ algorithm: Checksum.Algorithm, for version: Recipe.Version) -> Checksum? {
        guard let text = text(value, algorithm == .sha256 ? .sha256 : .sha512, for: version) else { return nil }
        guard let checksum = Checksum(text), checksum.algorithm == algorithm else {
            value.problem("\(Name.quoted(text)), for version \(version.name), is no \(algorithm.rawValue)")
            return nil
        }
        return checksum
    }

    private func text(_ value: Value, _ form: TextForm, for version: Recipe.Version) -> String? {
        guard let text = value.text(form) else { return nil }
        do throws(VersionText.UnknownVariable) {
            return try VersionText.text(text, for: version)
        } catch {
            let known = ["KILN_VERSION"] + version.variables.keys.sorted()
            let suggestion = Suggestion.text(for: error.name, among: known)
            value.problem(
                "version \(version.name) has no variable \(Name.quoted(error.name))\(suggestion); it has "
                    + known.joined(separator: ", ")
            )
            return nil
        }
    }
}
