import Foundation

extension GuestAgent {
    /// How much of a file travels in one message, in bytes before base64.
    static let chunk = 128 << 10

    /// Reads a file of the guest.
    ///
    /// - Parameters:
    ///   - path: an absolute path in the guest.
    ///   - limit: how many bytes are accepted; a longer file is an error.
    /// - Throws: ``GuestAgentError`` `answerTooLarge` for a longer file; ``LibvirtError`` `internalError` with the
    ///   agent's words when it cannot be opened.
    public func readFile(_ path: String, limit: Int) async throws -> [UInt8] {
        try await withFile(path, mode: "r") { file in
            var bytes: [UInt8] = []
            while true {
                let part: FileRead = try await ask("guest-file-read", FileCount(handle: file, count: Self.chunk))
                let new = try Self.bytes(part.data, in: "guest-file-read")
                guard bytes.count + new.count <= limit else {
                    throw GuestAgentError.answerTooLarge(command: "guest-file-read", limit: limit)
                }
                bytes += new
                if part.eof { return bytes }
                // A guest that sends nothing and promises more would keep the host reading for ever.
                guard !new.isEmpty else {
                    throw GuestAgentError.malformedAnswer(command: "guest-file-read", reason: "no data and no end")
                }
            }
        }
    }

    /// Reads a file of the guest to its end, part by part.
    ///
    /// - Throws: as ``readFile(_:limit:)``; what `take` throws.
    public func readFile(_ path: String, take: @Sendable ([UInt8]) throws -> Void) async throws {
        try await withFile(path, mode: "r") { file in
            while true {
                try Task.checkCancellation()
                let part: FileRead = try await ask("guest-file-read", FileCount(handle: file, count: Self.chunk))
                let new = try Self.bytes(part.data, in: "guest-file-read")
                try take(new)
                if part.eof { return }
                guard !new.isEmpty else {
                    throw GuestAgentError.malformedAnswer(command: "guest-file-read", reason: "no data and no end")
                }
            }
        }
    }

    /// Writes a file of the guest, replacing or extending it.
    ///
    /// The data has reached the guest's kernel on return, not necessarily its disk.
    ///
    /// - Parameters:
    ///   - path: an absolute path in the guest, in a folder that exists.
    ///   - bytes: the content.
    ///   - appending: extend the file instead of replacing it.
    public func writeFile(_ path: String, _ bytes: [UInt8], appending: Bool = false) async throws {
        try await withFile(path, mode: appending ? "a" : "w") { file in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = rest.prefix(Self.chunk)
                let data = Data(part).base64EncodedString()
                let written: FileWritten = try await ask("guest-file-write", FileData(handle: file, data: data))
                guard (1...part.count).contains(written.count) else {
                    throw GuestAgentError.malformedAnswer(
                        command: "guest-file-write",
                        reason: "\(written.count) of \(part.count) bytes written"
                    )
                }
                rest = rest.dropFirst(written.count)
            }
            let _: Nothing = try await ask("guest-file-flush", FileHandle(handle: file))
        }
    }

    /// A file that the agent holds open, also when the connection ends: close it.
    public struct OpenFile: Sendable, Hashable {
        fileprivate let handle: Int
    }

    /// Opens a file of the guest to read it while it grows.
    ///
    /// - Throws: ``GuestAgentError`` `refused` with the agent's words where it can't be opened.
    public func openFile(_ path: String) async throws -> OpenFile {
        OpenFile(handle: try await ask("guest-file-open", FileOpening(path: path, mode: "r")))
    }

    /// The next part of what an open file holds; nothing where it holds no more at present.
    public func readOn(_ file: OpenFile) async throws -> [UInt8] {
        let part: FileRead = try await ask("guest-file-read", FileCount(handle: file.handle, count: Self.chunk))
        return try Self.bytes(part.data, in: "guest-file-read")
    }

    /// Closes an open file.
    public func close(_ file: OpenFile) async throws {
        let _: Nothing = try await ask("guest-file-close", FileHandle(handle: file.handle))
    }

    /// Opens a file for a scope and always closes it: open files of the agent outlive the connection.
    private func withFile<T>(_ path: String, mode: String, _ body: (Int) async throws -> T) async throws -> T {
        let file: Int = try await ask("guest-file-open", FileOpening(path: path, mode: mode))
        let result: T
        do {
            result = try await body(file)
        } catch {
            // The body's error is the one worth telling.
            let _: Nothing? = try? await ask("guest-file-close", FileHandle(handle: file))
            throw error
        }
        let _: Nothing = try await ask("guest-file-close", FileHandle(handle: file))
        return result
    }
}

private struct FileOpening: Encodable {
    let path: String
    let mode: String
}

private struct FileHandle: Encodable {
    let handle: Int
}

private struct FileCount: Encodable {
    let handle: Int
    let count: Int
}

private struct FileData: Encodable {
    let handle: Int
    let data: String
    enum CodingKeys: String, CodingKey {
        case handle
        case data = "buf-b64"
    }
}

private struct FileRead: Decodable {
    let data: String
    let eof: Bool
    enum CodingKeys: String, CodingKey {
        case eof
        case data = "buf-b64"
    }
}

private struct FileWritten: Decodable {
    let count: Int
}
