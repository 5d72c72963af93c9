import Foundation
import KilnEngine
import KilnModel
import Synchronization
import Testing

@testable import KilnHost

@Suite(
    "Guests by SSH, tried on this host's own server",
    .enabled(if: SSHServer.obstacle == nil, "see SSHServer.obstacle")
)
struct SSHGuestsTests {
    private let machine: MachineID

    init() throws {
        machine = MemberID(lab: try Name("lab"), server: try Name("web")).machine(Generation(1))
    }

    private func code(_ work: () async throws -> Void) async -> ErrorCode? {
        do {
            try await work()
            return nil
        } catch { return (error as? KilnError)?.code }
    }

    @Test("a command gets its words, its input and its place as they are, and its status and output come back")
    func run() async throws {
        let server = try await SSHServer.start()
        let guests = server.guests()
        #expect(try await guests.awaitWay(into: machine, within: .seconds(20)) == .ssh)
        let words = try await guests.run(
            GuestCommand(["printf", "%s|", "a b", "c'd", "$HOME", "\"", "-n", "é"]),
            in: machine
        )
        #expect(String(decoding: words.output, as: UTF8.self) == "a b|c'd|$HOME|\"|-n|é|")
        let script = "cat; echo oops >&2; pwd; exit 255"
        let both = try await guests.run(GuestCommand(["sh", "-c", script], input: [0, 10, 255, 65]), in: machine)
        #expect(both.status == 255 && both.output == [0, 10, 255, 65] + Array("/\n".utf8))
        #expect(String(decoding: both.errors, as: UTF8.self) == "oops\n")
        #expect(try await guests.run(GuestCommand(["sh", "-c", "kill -9 $$"]), in: machine).status == 137)
    }

    @Test("a program that the guest has not is told, and one that does not end in time")
    func refused() async throws {
        let server = try await SSHServer.start()
        let guests = server.guests()
        #expect(await code { _ = try await guests.run(GuestCommand(["no-such"]), in: machine) } == .guestRefused)
        let slow = GuestCommand(["sleep", "60"], deadline: .seconds(3))
        #expect(await code { _ = try await guests.run(slow, in: machine) } == .guestCommandDeadline)
        #expect(try await guests.run(GuestCommand(["true"]), in: machine).status == 0)
    }

    @Test("a guest can't fool with what its command's end is told by, nor fill the memory")
    func hostile() async throws {
        let server = try await SSHServer.start()
        let guests = server.guests()
        // The word by which the end is known stands in the arguments of the shell that starts it.
        let lie = #"""
            word=$(tr '\0' '\n' </proc/$PPID/cmdline | grep -E '^[0-9A-F-]{36}$') || exit 8
            printf '\n%s 0\n' "$word" >&2
            exit 7
            """#
        let lies = try await guests.run(GuestCommand(["sh", "-c", lie]), in: machine)
        #expect(lies.status == 7 && String(decoding: lies.errors, as: UTF8.self).hasSuffix(" 0\n"))
        #expect(
            await code {
                _ = try await guests.run(GuestCommand(["head", "-c", "40000000", "/dev/zero"]), in: machine)
            } == .guestTooLarge
        )
        #expect(await code { _ = try await guests.read("/dev/zero", in: machine, limit: 1000) } == .guestTooLarge)
    }

    @Test("a command that may write much is read to its end, and keeps its status")
    func large() async throws {
        let server = try await SSHServer.start()
        let guests = server.guests()
        let words = ["sh", "-c", "head -c 40000000 /dev/zero; echo oops >&2; exit 3"]
        let flood = try await guests.collect(GuestCommand(words), keeping: 64 << 20, in: machine)
        #expect(flood.status == 3 && flood.output.count == 40_000_000 && !flood.isCut)
        #expect(String(decoding: flood.errors, as: UTF8.self) == "oops\n")
        let start = try await guests.collect(GuestCommand(words), keeping: 1000, in: machine)
        #expect(start.status == 3 && start.output.count == 1000 && start.isCut)
        let missing = GuestCommand(["no-such"])
        #expect(await code { _ = try await guests.collect(missing, keeping: 10, in: machine) } == .guestRefused)
        let slow = GuestCommand(["sleep", "60"], deadline: .seconds(3))
        #expect(await code { _ = try await guests.collect(slow, keeping: 10, in: machine) } == .guestCommandDeadline)
    }

    @Test("input is handed on as it comes, and a command need not read it")
    func conversation() async throws {
        let server = try await SSHServer.start()
        let guests = server.guests()
        let talk = TwoLines()
        #expect(try await guests.converse(talk.command, talk.dialogue, in: machine) == talk.ending)
        let idle = GuestDialogue(
            input: {
                try await Task.sleep(for: .seconds(100))
                return []
            },
            take: { _, _ in }
        )
        #expect(try await guests.converse(GuestCommand(["true"]), idle, in: machine).status == 0)
    }

    @Test("input that can't be read ends the dialogue with what is wrong, and not only when the command's time is over")
    func unreadableInput() async throws {
        let server = try await SSHServer.start()
        let guests = server.guests()
        let dialogue = GuestDialogue(
            input: { throw KilnError("test.no-input", "it is gone", exit: .usage) },
            take: { _, _ in }
        )
        let begin = ContinuousClock.now
        let error = await #expect(throws: KilnError.self) {
            try await guests.converse(GuestCommand(["cat"], deadline: .seconds(100)), dialogue, in: machine)
        }
        #expect(error?.message == "it is gone")
        #expect(ContinuousClock.now - begin < .seconds(60))
    }

    @Test("files are read and written whole; what is not there is nothing")
    func files() async throws {
        let server = try await SSHServer.start()
        let guests = server.guests()
        let path = server.directory.path + "/a file'; rm -rf $HOME"
        let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await guests.write(content, to: path, in: machine)
        #expect(try await guests.read(path, in: machine, limit: 1 << 20) == content)
        try await guests.write([], to: path, in: machine)
        #expect(try await guests.read(path, in: machine, limit: 10) == [])
        #expect(try await guests.read(path + "-not", in: machine, limit: 10) == nil)
        #expect(await code { _ = try await guests.read("/etc", in: machine, limit: 10) } == .guestRefused)
        let refused = await #expect(throws: KilnError.self) {
            try await guests.write([1], to: "/no/such/folder/f", in: machine)
        }
        #expect(refused?.code == .guestRefused && refused?.exit == .aborted && refused?.hint != nil)
        #expect(refused?.message.contains("/no/such/folder/f") == true)
        try await guests.write(content, to: path, in: machine)
        let read = Mutex<[UInt8]>([])
        let isThere = try await guests.read(path, in: machine) { bytes in read.withLock { $0 += bytes } }
        #expect(isThere && read.withLock { $0 } == content)
        #expect(try await !guests.read(path + "-not", in: machine) { _ in })
        let tooLarge = await #expect(throws: KilnError.self) { try await guests.read(path, in: machine, limit: 10) }
        #expect(tooLarge?.code == .guestTooLarge && tooLarge?.exit == .usage)
        #expect(tooLarge?.message.contains("a file") == true)
    }

    @Test("a server with another host key is not talked to, by name")
    func otherHostKey() async throws {
        let server = try await SSHServer.start()
        let other = try String(contentsOfFile: server.directory.path + "/other.pub", encoding: .utf8)
        let guests = server.guests(hostKey: other)
        #expect(await code { _ = try await guests.run(GuestCommand(["true"]), in: machine) } == .guestHostKeyDiffers)
    }

    @Test("a server that does not take the key lets nobody in, and one that is gone is silent")
    func closed() async throws {
        let server = try await SSHServer.start()
        let strange = server.guests(identity: "other", users: ["root", "nobody-here"])
        #expect(await code { _ = try await strange.run(GuestCommand(["true"]), in: machine) } == .guestSSHRefused)
        let route = GuestRoute(
            port: 1,
            hostKey: server.hostKey,
            identity: server.directory.path + "/user",
            knownHosts: server.directory.path + "/known"
        )
        let gone = SSHGuests { _ in route }
        #expect(await code { _ = try await gone.awaitWay(into: machine, within: .zero) } == .guestSSHSilent)
        #expect(await code { _ = try await gone.run(GuestCommand(["true"]), in: machine) } == .guestSSHSilent)
        let nowhere = SSHGuests { _ in nil }
        #expect(await code { _ = try await nowhere.run(GuestCommand(["true"]), in: machine) } == .guestNoAgent)
    }
}
