import KilnModel
import KilnSystem

extension QCOW2Header {
    /// Reads and judges the header of what is to become an image: it stands alone.
    ///
    /// - Throws: `KilnError` with code `image.refused.REASON` (a `RefusedHeader.Reason`), `file.unreadable` or
    ///   `file.not-regular`.
    init(ofImage path: String) throws {
        let file = try HeaderBytes(try OpenFile(reading: path))
        do {
            try self.init(file, standing: .alone)
        } catch {
            throw KilnError(
                ErrorCode(rawValue: "image.refused.\(error.reason.rawValue)"),
                "\(path) can't be an image: \(error.detail)",
                hint: "convert it: qemu-img convert -O qcow2 SOURCE COPY, then add the copy",
                exit: .invalidFile
            )
        }
    }
}
