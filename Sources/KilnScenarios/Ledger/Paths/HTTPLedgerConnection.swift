import KilnEngine
import KilnModel
import KilnSystem

/// Sends records to a service over HTTP, over connections that are kept.
struct HTTPLedgerConnection: LedgerConnection {
    /// How long an answer may take.
    static let patience = Duration.seconds(10)

    let service: LedgerService
    let port: UInt16
    let network: any NetworkProbe

    func write(_ record: LedgerRecord) async -> WriteOutcome {
        let request = service.request(for: record)
        let exchange = await network.exchange(request, on: port, over: .kept, within: HTTPLedgerConnection.patience)
        switch exchange {
        case .failure(let failure): return .unknown(failure.reason)
        case .success(let answer):
            // As for a probe: the status, and what the body has to hold.
            switch answer.finding(for: request) {
            case .holds: return .acknowledged
            case .notYet(let found), .failed(let found), .dataDamaged(let found): return .unknown(found)
            }
        }
    }

    func close() async {}
}

extension LedgerService {
    /// The request that brings a record, and the answer that acknowledges it.
    func request(for record: LedgerRecord) -> HTTPProbe {
        let filled = { (text: String) in
            text.replacing("{number}", with: "\(record.number)")
                .replacing("{checksum}", with: record.acknowledgement.digits)
        }
        return HTTPProbe(
            port: port,
            path: filled(path),
            method: method == .put ? .put : .post,
            headers: ["Content-Type": "text/plain"],
            body: record.line,
            status: HTTPStatuses(["2xx"]) ?? HTTPStatuses(200),
            contains: filled(echo)
        )
    }

    /// All records that a service names at a path, a line each.
    ///
    /// - Throws: `KilnError` with code `ledger.unreadable`, also for more than can be looked at: what is cut off would pass
    ///   for lost.
    func contents(at path: String, on number: UInt16, _ network: any NetworkProbe) async throws -> [UInt8] {
        let request = HTTPProbe(port: port, path: path)
        let answer: HTTPAnswer
        switch await network.exchange(request, on: number, over: .new, within: .seconds(60)) {
        case .success(let found): answer = found
        case .failure(let failure): throw unreadable(path, "no answer: \(failure.reason)")
        }
        guard answer.status == 200 else { throw unreadable(path, "status \(answer.status), 200 expected") }
        guard answer.body.count < HTTPAnswer.bodyLimit else {
            throw unreadable(path, "its answer is longer than \(HTTPAnswer.bodyLimit >> 20) MiB")
        }
        return LedgerService.lines(in: answer.body)
    }

    /// What a service says as lines: whatever can be no part of a record, such as the quotes of JSON, ends one.
    static func lines(in body: [UInt8]) -> [UInt8] {
        body.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: " "):
                byte
            default: UInt8(ascii: "\n")
            }
        }
    }

    private func unreadable(_ path: String, _ reason: String) -> KilnError {
        KilnError(
            .ledgerUnreadable,
            "the records that the service on port '\(port)' holds can't be read at \(path): \(Printable.line(reason))",
            hint: "name the file in the guest that holds them instead",
            exit: .unmet
        )
    }
}
