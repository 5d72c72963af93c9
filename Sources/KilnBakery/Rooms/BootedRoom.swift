import Foundation
import KilnEngine
import KilnModel
import KilnSystem

/// A machine that runs: a program in it finds services, a network if the step may use one, and the kernel of the image.
///
/// It is reached as any guest is, and asked from time to time how far a program got; so neither a long step nor one that restarts
/// what the guest is reached by is mistaken for one that hangs. What a program leaves running in its own group ends with it and is
/// named where the guest has systemd; services that it started go on.
struct BootedRoom: BuildRoom {
    let machine: BakeMachine
    /// What a step is about, for people.
    let step: String
    let log: BakeLog
    var variables: [String: String] = [:]
    /// Paths that do not count as changed: a machine that runs writes there by itself.
    var ephemeral = [
        "/dev", "/proc", "/run", "/sys", "/tmp", "/var/lib/cloud", "/var/lib/dhcp", "/var/lib/systemd", "/var/log",
        "/var/tmp",
    ].compactMap { RootPath($0) }
    /// Where the room keeps its files in the guest; they go with the bake.
    var place = BootedRoom.usualPlace
    var link = RoomPlaces.kiln
    /// How long after a question the next one follows at most.
    var pause = Duration.seconds(2)

    /// On the disk, for what is kept in memory may be small.
    static let usualPlace = "/var/lib/kiln-room"

    /// QEMU's user network has the host there.
    var loopback: String? { "10.0.2.2" }

    /// Puts a step's files into the room, which has nothing else then.
    ///
    /// - Throws: `KilnError` as ``lend(_:as:)``.
    func open(with recipe: String) async throws {
        try await ask(["open"])
        try await lend(recipe, as: "recipe")
    }

    func lend(_ folder: String, as name: String) async throws {
        let archive = "\(folder).\(name).tar"
        defer { unlink(archive) }
        let arguments = ["--owner=0", "--group=0", "--numeric-owner", "--sort=name", "-cf", archive, "."]
        try await Command("tar", ["-C", folder] + arguments, deadline: .seconds(300)).run()
        let bytes = try await BlockingWork.run { try BootedRoom.content(of: archive, step) }
        try await machine.write(bytes, to: "\(place)/run/\(name).tar")
        try await ask(["unpack", name])
    }

    func read(_ path: String, limit: Int) async throws -> [UInt8]? { try await machine.read(path, limit: limit) }

    func listing() async throws -> TreeListing {
        let own = [place, link].compactMap { RootPath($0) }
        return TreeListing(try await machine.listing(), without: ephemeral + own)
    }

    func run(_ command: RoomCommand, accepting accepted: Set<Int32>) async throws -> Int32 {
        try await machine.setNetwork(command.network, for: step) { try await ask($0) }
        try await machine.write(Array(program(command).utf8), to: "\(place)/run/program")
        try await ask(["start", "\(UInt32.random(in: .min ... .max))"])
        let (status, said) = try await ended(command)
        guard status != 0, !accepted.contains(status) else { return status }
        throw KilnError(
            .bakeStepFailed,
            "\(command.arguments.first ?? "") ended with exit status \(status), expected 0",
            cause: Printable.text(Array(said.utf8)),
            exit: .aborted
        )
    }

    // MARK: - A program

    private func program(_ command: RoomCommand) -> String {
        let all = RoomPlaces.variables
            .merging(variables) { _, own in own }
            .merging(command.environment) { _, own in own }
        let exports = all.sorted { $0.key < $1.key }.map { "export \($0.key)=\(ShellWords.quoted($0.value))\n" }
        return exports.joined() + "exec " + ShellWords.line(command.arguments) + "\n"
    }

    /// Waits for the end of the program, and tells what it says meanwhile.
    ///
    /// - Returns: its exit status, and the last lines.
    private func ended(_ command: RoomCommand) async throws -> (Int32, String) {
        let end = ContinuousClock.now + command.timeout
        var (told, wait) = (ToldLines(log: log), min(Duration.milliseconds(100), pause))
        do {
            while true {
                let answer = try await asked(told.count, until: end)
                told.take(answer.said)
                if let status = answer.status, answer.said.count < ToldLines.chunk { return (status, told.rest()) }
                guard ContinuousClock.now < end else { break }
                guard answer.said.count < ToldLines.chunk else { continue }
                // The guest's agent calls nobody: how far a program got has to be asked.
                try await Task.sleep(for: wait)
                wait = min(wait * 2, pause)
            }
        } catch {
            // Also where the bake was interrupted, though its machine goes, too.
            await Task { _ = try? await ask(["end"]) }.value
            throw error
        }
        _ = try? await ask(["end"])
        throw KilnError(
            .bakeStepDeadline,
            "\(command.arguments.first ?? "") did not end within \(command.timeout.components.seconds) s",
            hint: "see what it waits for, or raise the step's 'timeout'",
            cause: Printable.text(Array(told.rest().utf8)),
            exit: .deadline
        )
    }

    // Whoever restarts the guest's agent makes it silent for a while.
    private func asked(_ offset: Int, until end: ContinuousClock.Instant) async throws -> ProgramAnswer {
        let patience = min(end, .now + .seconds(120))
        while true {
            do {
                return try ProgramAnswer(try await ask(["told", "\(offset)", "\(ToldLines.chunk)"]).output)
            } catch let error as KilnError where BakeMachine.silence.contains(error.code) {
                guard ContinuousClock.now < patience else { throw error }
                // When it listens again is told by nothing but an answer.
                try await Task.sleep(for: pause)
            }
        }
    }

    @discardableResult
    private func ask(_ arguments: [String]) async throws -> GuestCommandResult {
        try await machine.ask(BootedRoomScript.text, [place, link] + arguments)
    }

    // What is put into a machine is in memory twice on its way.
    private static let most = 256 << 20

    private static func content(of archive: String, _ step: String) throws -> [UInt8] {
        let size = (try FileManager.default.attributesOfItem(atPath: archive)[.size] as? Int) ?? 0
        guard size <= most else {
            throw KilnError(
                .bakeFilesTooLarge,
                "\(step) uses files of \(ByteCount(bytes: UInt64(size))), expected \(most >> 20) MiB at most in a machine",
                hint: "let it fetch what is large ('network: true'), or bake it without 'bake: booted'",
                exit: .aborted
            )
        }
        return Array(try Data(contentsOf: URL(fileURLWithPath: archive)))
    }
}

/// What a machine says of a program that it was told to run: hostile text.
private struct ProgramAnswer {
    /// Nothing while it runs.
    let status: Int32?
    let said: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) throws {
        let line = bytes.prefix { $0 != 0x0a }
        let word = String(decoding: line, as: UTF8.self)
        guard line.count < bytes.count, word == "running" || Int32(word) != nil else {
            throw KilnError(
                .guestNonsense,
                "the machine of the bake was asked for a program's status, and said \(Printable.text(bytes.prefix(200)))"
            )
        }
        status = Int32(word)
        said = bytes.dropFirst(line.count + 1)
    }
}

/// The lines of a program, told as they come.
private struct ToldLines {
    /// The most bytes that are asked for at once.
    static let chunk = 128 << 10
    private static let longestLine = 64 << 10

    let log: BakeLog
    /// How many bytes came.
    private(set) var count = 0
    private var line: [UInt8] = []
    private var last: [String] = []

    init(log: BakeLog) { self.log = log }

    mutating func take(_ bytes: ArraySlice<UInt8>) {
        count += bytes.count
        for byte in bytes {
            if byte == 0x0a || line.count >= ToldLines.longestLine { flush() }
            if byte != 0x0a { line.append(byte) }
        }
    }

    /// Tells what was no whole line yet; the last lines.
    mutating func rest() -> String {
        if !line.isEmpty { flush() }
        return last.joined(separator: "\n")
    }

    private mutating func flush() {
        let text = String(decoding: line, as: UTF8.self)
        log.tell(text)
        last = last.suffix(11) + [text]
        line = []
    }
}
