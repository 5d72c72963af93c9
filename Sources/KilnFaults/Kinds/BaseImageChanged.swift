import Foundation
import Glibc
import KilnDocuments
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// `base-image-changed`: a byte of a sealed image is another one, as by a failing disk; in a home of the run's own.
struct BaseImageChanged: FaultAction {
    static let kind = FaultKind(
        word: "base-image-changed",
        about: "Changes a byte of a sealed image, in a home of the run's own.",
        fields: { Schema.object(BaseImageFields.self, $0) },
        decode: { value, _ in BaseImageChanged(value) }
    )

    private let image: ImageReference

    init?(_ value: Value) {
        guard let fields = Fields<BaseImageFields>(value, "a map with 'image'"), let image = fields[.image]?.image()
        else { return nil }
        self.image = image
    }

    var summary: String { "base-image-changed \(image)" }
    var servers: [Name] { [] }
    var needsMachine: Bool { false }
    var needsOwnHome: Bool { true }
    var images: [ImageReference] { [image] }

    func strike(_ ground: FaultGround) async throws -> StruckFault {
        _ = try ground.ownHome()
        let disk = try await ground.parts.images.verifiedImage(try ground.pinned(image), for: .existing).disk
        let place = try await BlockingWork.run { try ChangedByte(last: disk) }
        return StruckFault(
            proof: { try place.isChanged ? "byte \(place.offset) of \(disk) is another one" : nil },
            undo: { try place.restore() }
        )
    }
}

/// The fields of `base-image-changed`.
enum BaseImageFields: String, FileField {
    case image

    static let required: [BaseImageFields] = [.image]

    var schema: JSONValue { Schema.image("The image.") }
}

/// A byte of a file that has all its bits turned over.
struct ChangedByte: Sendable {
    let path: String
    let offset: Int
    private let before: UInt8

    /// Turns the last byte of a file over: whoever reads less than all of it does not notice.
    init(last path: String) throws {
        self.path = path
        offset = try ChangedByte.open(path) { Int(lseek($0, 0, SEEK_END)) - 1 }
        guard offset >= 0 else { throw FaultGround.impossible("\(path) is empty") }
        before = try ChangedByte.read(path, offset)
        try ChangedByte.write(path, offset, ~before)
    }

    var isChanged: Bool { get throws { try ChangedByte.read(path, offset) == ~before } }

    func restore() throws { try ChangedByte.write(path, offset, before) }

    private static func read(_ path: String, _ offset: Int) throws -> UInt8 {
        var byte: UInt8 = 0
        let count = try open(path) { pread($0, &byte, 1, off_t(offset)) }
        guard count == 1 else { throw FaultGround.impossible("\(path) can't be read") }
        return byte
    }

    // A sealed image is nobody's to write to, not even its owner's.
    private static func write(_ path: String, _ offset: Int, _ byte: UInt8) throws {
        var found = stat()
        guard stat(path, &found) == 0, chmod(path, found.st_mode | S_IWUSR) == 0 else {
            throw FaultGround.impossible("\(path) can't be made writable", cause: String(cString: strerror(errno)))
        }
        defer { chmod(path, found.st_mode) }
        var byte = byte
        let count = try open(path, O_WRONLY) { pwrite($0, &byte, 1, off_t(offset)) }
        guard count == 1 else { throw FaultGround.impossible("\(path) can't be written to") }
    }

    private static func open<Result>(_ path: String, _ mode: Int32 = O_RDONLY, _ body: (Int32) -> Result) throws
        -> Result
    {
        let file = Glibc.open(path, mode | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else {
            throw FaultGround.impossible("\(path) can't be opened", cause: String(cString: strerror(errno)))
        }
        defer { close(file) }
        return body(file)
    }
}
