import Foundation
import Glibc
import KilnEngine
import KilnModel
import KilnSystem

/// A line in which HAProxy tells of an answer: the word, the slot, the status or 0, the time in milliseconds, how it ended.
enum FrontLine {
    // %Ta counts from the whole request, %Tt of TCP from the connection; of both the wait for a server is a part.
    static let http = "kiln %s %ST %Ta %tsc"
    static let tcp = "kiln %s 0 %Tt %ts"

    /// The answer; nothing of what no member answered.
    static func answer(_ line: some StringProtocol) -> FrontAnswer? {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count >= 5, words[0] == "kiln", words[1].first == "m", let ordinal = Int(words[1].dropFirst()),
            let status = Int(words[2]), let time = Int(words[3].drop { $0 == "+" })
        else { return nil }
        // The first letter says who ended it before its time, and "-" that nobody did.
        let isWhole = words[4].first == "-"
        return FrontAnswer(ordinal: ordinal, isGood: isWhole && status < 500, milliseconds: max(0, time))
    }
}

/// The socket to which a front's HAProxy sends its lines; it sends none where there is no such socket.
final class FrontListener: FrontLog {
    private let descriptor: Int32
    private let path: String

    /// Listens at a path, instead of whoever listened there before.
    ///
    /// - Parameter owner: who runs HAProxy.
    init(at path: String, owner: MachineOwner) throws {
        self.path = path
        do {
            descriptor = try UnixSocket.bound(to: path, .datagrams)
        } catch {
            throw KilnError(
                .frontFailed,
                "what the front tells can't be heard at \(path)",
                cause: error.localizedDescription,
                exit: .aborted
            )
        }
        if geteuid() == 0 { chown(path, owner.uid, owner.gid) }
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    func answers(within limit: Duration) async throws -> [FrontAnswer] {
        await BlockingWork.run { [self] in
            guard Descriptor.isReady(descriptor, for: .reading, within: Int32(limit / .milliseconds(1))) else {
                return []
            }
            return received()
        }
    }

    private func received() -> [FrontAnswer] {
        var answers: [FrontAnswer] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        // No more than what was there: who listens wants to think in between.
        while answers.count < 10_000 {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            let lines = String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: "\n")
            answers += lines.compactMap(FrontLine.answer)
        }
        return answers
    }
}

extension LocalFronts {
    /// Hears of each answer that the clients of a server get from now on.
    public func listen(to server: ServerID) async throws -> any FrontLog {
        try FrontListener(at: FrontPlace(base: state.frontBase(server)).log, owner: owner)
    }
}
