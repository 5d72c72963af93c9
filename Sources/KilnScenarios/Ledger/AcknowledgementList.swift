import Foundation
import KilnModel

/// The host's own list of what was acknowledged: an append-only file, one line each.
///
/// An acknowledgement counts only once it is on the host's disk, so the verdict outlives a crash of kiln too. Calls
/// block; one owner uses a list at a time.
public struct AcknowledgementList: ~Copyable {
    /// The file.
    public let path: String
    /// How many were appended since the list was opened.
    public private(set) var count = 0
    private let descriptor: Int32

    /// Opens the list at `path`, or makes it; what it holds stays.
    ///
    /// - Throws: `KilnError` with code `ledger.list-failed`.
    public init(at path: String) throws {
        let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw AcknowledgementList.failure("open", path, errno) }
        do {
            try AcknowledgementList.cutTornTail(descriptor, path)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Appends a batch and returns when the disk has it.
    ///
    /// - Throws: `KilnError` with code `ledger.list-failed`; then nothing of the batch counts, though the file may have
    ///   some of it.
    public mutating func append(_ batch: [Acknowledgement]) throws {
        guard !batch.isEmpty else { return }
        try write(Array(batch.map(\.line).joined().utf8))
        guard fdatasync(descriptor) == 0 else { throw AcknowledgementList.failure("write", path, errno) }
        count += batch.count
    }

    /// What the list at `path` holds; a torn tail is ignored.
    ///
    /// - Throws: `KilnError` with code `ledger.list-failed`, also for a line that is no acknowledgement.
    public static func read(_ path: String) throws -> [Acknowledgement] {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw failure("read", path, (error as NSError).underlyingCode ?? EIO)
        }
        var parser = AcknowledgementParser()
        let found = parser.take(data)
        guard parser.garbage == 0 else {
            throw KilnError(
                .ledgerListFailed,
                "the list of acknowledgements '\(path)' is damaged: \(parser.garbage) lines can't be read",
                hint: "the verdict can't be trusted; run the scenario again"
            )
        }
        return found
    }

    /// Cuts off what an interrupted write left behind, so that the next line starts on its own.
    private static func cutTornTail(_ descriptor: Int32, _ path: String) throws {
        var end = lseek(descriptor, 0, SEEK_END)
        var byte: UInt8 = 0
        while end > 0 {
            guard pread(descriptor, &byte, 1, end - 1) == 1 else {
                throw AcknowledgementList.failure("read", path, errno)
            }
            if byte == UInt8(ascii: "\n") { break }
            end -= 1
        }
        guard end >= 0, ftruncate(descriptor, end) == 0 else { throw AcknowledgementList.failure("open", path, errno) }
    }

    private func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw AcknowledgementList.failure("write", path, errno) }
            rest = rest.dropFirst(written)
        }
    }

    private static func failure(_ verb: String, _ path: String, _ code: Int32) -> KilnError {
        KilnError(
            .ledgerListFailed,
            "can't \(verb) the list of acknowledgements '\(path)': \(String(cString: strerror(code)))",
            hint: "check that the folder exists and that the disk has room"
        )
    }
}

extension NSError {
    /// The errno below a Cocoa error, where there is one.
    fileprivate var underlyingCode: Int32? {
        (userInfo[NSUnderlyingErrorKey] as? NSError).map { Int32($0.code) }
    }
}
