import KilnDocuments
import KilnModel

/// The fields of `download`.
enum DownloadFields: String, FileField {
    case urls, sums, sha256, sha512, firmware

    static let required: [DownloadFields] = [.urls]

    var schema: JSONValue {
        switch self {
        case .urls:
            Schema.list(
                of: Schema.either(
                    [
                        Schema.text(.downloadURL, "An address."),
                        Schema.object(DownloadPlaceFields.self, "An address, and what its file has to be."),
                    ],
                    "Where the disk is: an address, or one with a checksum or list of its own."
                ),
                "Where the disk is; a place that does not have it, or can't be reached, is passed over. ${NAME} stands for a variable of the version, and ${KILN_VERSION} for its name."
            )
        case .sums: DownloadPlaceFields.sums.schema
        case .sha256: DownloadPlaceFields.sha256.schema
        case .sha512: DownloadPlaceFields.sha512.schema
        case .firmware:
            Schema.words(DownloadFirmware.self, "What starts it; without it, what is found on the disk.")
        }
    }
}

/// The fields of one place of a download.
enum DownloadPlaceFields: String, FileField {
    case url, sums, sha256, sha512

    static let required: [DownloadPlaceFields] = [.url]

    var schema: JSONValue {
        switch self {
        case .url: Schema.text(.downloadURL, "The address, http or https.")
        case .sums:
            Schema.text(.sums, "The publisher's list of checksums: an address, or the name of a file beside the disk.")
        case .sha256: Schema.text(.sha256, "The sha256 of the file as it is published.")
        case .sha512: Schema.text(.sha512, "The sha512 of the file as it is published.")
        }
    }
}

/// The words of `firmware`.
enum DownloadFirmware: String, CaseIterable {
    case bios, uefi

    var model: ImageManifest.Firmware { self == .bios ? .bios : .uefi }
}

extension TextForm {
    static let downloadURL = TextForm("an address, http:// or https://", pattern: "^https?://[!-~]+$") { text in
        let rest = ["http://", "https://"].first { text.hasPrefix($0) }.map { text.dropFirst($0.count) }
        return rest.map { !$0.isEmpty && isPrinted($0) } ?? false
    }

    static let sums = TextForm(
        "an address, http:// or https://, or the name of a file beside the disk",
        pattern: "^(https?://[!-~]+|[!-.0-~]+)$"
    ) { text in
        downloadURL.accepts(text) || !text.isEmpty && !text.contains("/") && isPrinted(text[...])
    }

    static let sha256 = checksum(.sha256)
    static let sha512 = checksum(.sha512)

    private static func checksum(_ algorithm: Checksum.Algorithm) -> TextForm {
        TextForm(
            "\(algorithm.digits) hexadecimal digits, or a variable such as ${DIGEST} that has them",
            pattern: "^([0-9a-fA-F]{\(algorithm.digits)}|[$][{][A-Z][A-Z0-9_]*[}])$"
        ) { text in
            Checksum(text)?.algorithm == algorithm || VersionText.isVariable(text)
        }
    }

    private static func isPrinted(_ text: Substring) -> Bool { text.utf8.allSatisfy { (0x21...0x7e).contains($0) } }
}
