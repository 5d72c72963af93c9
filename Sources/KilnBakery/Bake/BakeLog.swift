import Foundation
import KilnModel
import KilnSystem
import Synchronization

/// Everything that the programs of a bake write, in a file; people are told, too.
///
/// What they write is hostile text: only what can be printed is passed on.
final class BakeLog: Sendable {
    /// The file.
    let path: String
    private let file: Mutex<FileHandle>
    private let heard: @Sendable (String) -> Void

    /// Begins a log, in place of one of that path.
    ///
    /// - Throws: `KilnError` with code `file.unwritable`.
    init(_ path: String, heard: @escaping @Sendable (String) -> Void) throws {
        try DurableFile.makeDirectory(URL(fileURLWithPath: path).deletingLastPathComponent().path)
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o644]),
            let file = FileHandle(forWritingAtPath: path)
        else { throw FileError.failed(.fileUnwritable, "write", path) }
        self.path = path
        self.file = Mutex(file)
        self.heard = heard
    }

    /// A line of a program.
    func tell(_ line: String) {
        let text = Printable.text(Array(line.utf8))
        // A log that can't be written fails no bake.
        file.withLock { try? $0.write(contentsOf: Data((text + "\n").utf8)) }
        heard(text)
    }
}
