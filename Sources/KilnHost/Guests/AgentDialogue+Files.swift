import KilnEngine
import LibvirtKit
import Synchronization

extension AgentDialogue {
    /// What the guest's shell said so far.
    final class Told: Sendable {
        private let text = Mutex("")

        func add(_ bytes: [UInt8]) { text.withLock { $0 += String(decoding: bytes, as: UTF8.self) } }

        func count(of letter: Character) -> Int { text.withLock { text in text.count { $0 == letter } } }

        /// The exit status once the command ended and all that it wrote lies there.
        var status: Int32? {
            text.withLock { text in
                guard
                    let line = text.split(separator: "x", maxSplits: 1, omittingEmptySubsequences: false).dropFirst()
                        .first,
                    line.hasSuffix("\n")
                else { return nil }
                return Int32(line.dropLast()) ?? 1
            }
        }
    }

    /// The files of a dialogue that the agent has open.
    actor Files {
        private let agent: GuestAgent
        private let folder: String
        private let state: GuestAgent.OpenFile
        private var open: [GuestDialogue.Stream: GuestAgent.OpenFile] = [:]
        private var pieces: [GuestDialogue.Stream: Int] = [:]

        init(_ agent: GuestAgent, _ folder: String) async throws {
            (self.agent, self.folder) = (agent, folder)
            state = try await agent.openFile("\(folder)/state")
            for stream in [GuestDialogue.Stream.output, .errors] {
                open[stream] = try await agent.openFile("\(folder)/\(stream.letter).0")
            }
        }

        /// Which piece of a stream is read.
        func piece(_ stream: GuestDialogue.Stream) -> Int { pieces[stream] ?? 0 }

        /// Reads what the shell says; whether it said anything.
        func readState(_ told: Told) async throws -> Bool {
            let bytes = try await agent.readOn(state)
            told.add(bytes)
            return !bytes.isEmpty
        }

        func read(_ stream: GuestDialogue.Stream) async throws -> [UInt8] {
            guard let file = open[stream] else { return [] }
            return try await agent.readOn(file)
        }

        /// Goes on to the next piece, and lets the guest remove this one.
        func turn(_ stream: GuestDialogue.Stream) async throws {
            let piece = piece(stream)
            if let file = open.removeValue(forKey: stream) { try await agent.close(file) }
            open[stream] = try await agent.openFile("\(folder)/\(stream.letter).\(piece + 1)")
            pieces[stream] = piece + 1
            try await agent.writeFile("\(folder)/\(stream.letter).\(piece).ok", [])
        }

        /// Closes all, also for a caller who is cancelled.
        func close() async {
            let (agent, files) = (agent, [state] + open.values)
            await Task { for file in files { try? await agent.close(file) } }.value
        }
    }
}

extension GuestDialogue.Stream {
    /// How files of it begin.
    var letter: Character { self == .output ? "o" : "e" }
}
