import KilnModel
import KilnSystem

extension QEMUDiskTool {
    /// Runs `body`, and names `path` where it says that there was no space: what it was working on is gone by then.
    func explainingFullDisk<Result>(at path: String, _ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as KilnError where error.code == .diskFull {
            let directory = DurableFile.directory(of: path)
            let free = FreeSpace(at: directory).map { "\($0.bytes >> 20) MiB" } ?? "nothing known to be"
            throw KilnError(
                .diskFull,
                "there is no space for \(path): \(free) free in \(directory)",
                hint: "free some space there, for example with 'kiln gc', and run the command again",
                cause: error.cause,
                exit: .aborted
            )
        }
    }
}
