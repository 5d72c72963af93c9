import KilnModel
import KilnSystem

extension QCOW2Header {
    /// Reads and judges the header of what is to become an image: it stands alone.
    ///
    /// - Throws: `KilnError` with code `image.refused.REASON` (a `RefusedHeader.Reason`), `file.unreadable` or
    ///   `file.not-regular`.
    package init(ofImage path: String) throws {
        let file = try HeaderBytes(try OpenFile(reading: path))
        do {
            try self.init(file, standing: .alone)
        } catch {
            let foreign = error.reason == .otherFormat ? ForeignFormat.of(file) : nil
            let detail = foreign.map { "it is \($0.name), not in the qcow2 format" } ?? error.detail
            throw KilnError(
                ErrorCode(rawValue: "image.refused.\(error.reason.rawValue)"),
                "\(path) can't be an image: \(detail)",
                hint: foreign?.hint ?? "convert it: qemu-img convert -O qcow2 SOURCE COPY, then add the copy",
                exit: .invalidFile
            )
        }
    }
}
