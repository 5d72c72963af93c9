import KilnEngine
import LibvirtKit
import Synchronization

extension AgentDialogue {
    /// What the guest's shell said so far; a guest that says too much takes no memory of the host.
    final class Told: Sendable {
        private struct Words {
            var counts: [UInt8: Int] = [:]
            var status: [UInt8]?
            var isWhole = false
        }

        private let words = Mutex(Words())

        func add(_ bytes: [UInt8]) {
            words.withLock { words in
                for byte in bytes where !words.isWhole {
                    if let status = words.status {
                        // A status is short.
                        words.isWhole = byte == UInt8(ascii: "\n") || status.count >= 16
                        if !words.isWhole { words.status = status + [byte] }
                    } else if byte == UInt8(ascii: "x") {
                        words.status = []
                    } else {
                        words.counts[byte, default: 0] += 1
                    }
                }
            }
        }

        func count(of letter: Character) -> Int {
            letter.asciiValue.flatMap { byte in words.withLock { $0.counts[byte] } } ?? 0
        }

        /// The exit status once the command ended and all that it wrote lies there.
        var status: Int32? {
            words.withLock { words in
                guard words.isWhole, let status = words.status else { return nil }
                return Int32(String(decoding: status, as: UTF8.self)) ?? 1
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
            do {
                for stream in [GuestDialogue.Stream.output, .errors] {
                    open[stream] = try await agent.openFile("\(folder)/\(stream.letter).0")
                }
                // Who may open files may yet not be allowed to read and to write them.
                _ = try await agent.readOn(state)
                try await beat(0)
            } catch {
                try? await close()
                throw error
            }
        }

        /// Lets the guest know that its output is still read.
        func beat(_ number: Int) async throws { try await agent.writeFile("\(folder)/here", Array("\(number)\n".utf8)) }

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

        /// Closes all.
        ///
        /// - Throws: `LibvirtError` as soon as the agent does not answer.
        func close() async throws {
            for file in [state] + open.values {
                do {
                    try await agent.close(file)
                } catch is GuestAgentError {
                    // An agent that began anew has it open no more.
                }
            }
        }
    }
}

extension GuestDialogue.Stream {
    /// How files of it begin.
    var letter: Character { self == .output ? "o" : "e" }
}
