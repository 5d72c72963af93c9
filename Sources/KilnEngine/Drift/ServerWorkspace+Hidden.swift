import Foundation
import KilnModel

/// Data that a machine wrote to its root where its volumes are mounted.
extension ServerWorkspace {
    /// Throws unless a machine that is off has nothing below the mount points of its root that its image has not.
    ///
    /// - Throws: `replace.hidden-data`; `replace.root-unseen` where that can't be known.
    func requireNothingHidden(of machine: MachineID) async throws {
        let record = try record(machine)
        guard hasMounts(record) else { return }
        let paths = record.spec.mounts.map(\.path).joined(separator: ", ")
        parts.progress(.waiting(machine.member, machine.generation, "a look below \(paths) on its root"))
        let hidden = try await hiddenPaths(record)
        guard let first = hidden.firstFile else { return }
        throw KilnError(
            .replaceHiddenData,
            "the root of \(machine) has data below \(paths), where volumes hide it: \(Self.names(hidden))",
            hint: "take it out with '\(wayOut(machine, first))', then replace with 'hidden-data: report'",
            exit: .aborted
        )
    }

    private func hiddenPaths(_ record: GenerationRecord) async throws -> [RootPath] {
        let image = try await image(of: record)
        if let reason = unobservable(record, image) { throw unseen(record.machine, reason) }
        do {
            let (copy, _) = try await copyRoot(record.machine)
            defer { parts.roots.discard(copy) }
            let (original, allowed) = (try listing(of: image), try allowance(record, image.manifest))
            let below = allowed.located(in: original).mounts
            let root = try await parts.roots.listing(of: copy, over: record.files.disk, size: record.disk, below: below)
            return RootDifference.hidden(in: root, of: original, allowing: allowed)
        } catch let error as KilnError where error.exit != .unreachable && !Self.ofHost.contains(error.code) {
            throw unseen(record.machine, error.message)
        }
    }

    // A passing fault of the host is no reason to do without the look.
    private static let ofHost: [ErrorCode] = [.diskFull, .driftScratchFailed, .toolMissing]

    private func unseen(_ machine: MachineID, _ reason: String) -> KilnError {
        KilnError(
            .replaceRootUnseen,
            "whether the root of \(machine) has data below its mount points can't be seen: \(reason)",
            hint: "replace with 'hidden-data: report'",
            exit: .aborted
        )
    }

    /// What there is to say of a machine that was replaced: which data its volumes hid, or that this is not known.
    ///
    /// - Parameter failure: why its root could not be looked at, where that was tried.
    func hiddenDataRemark(of machine: MachineID, failure: String?) -> String? {
        guard let record = try? record(machine), hasMounts(record) else { return nil }
        let kept = try? keptDriftReport(machine)
        guard let report = kept, report.observable else {
            let reason = kept?.reason ?? failure ?? "its root was not looked at"
            return "whether generation \(machine.generation) wrote below its mount points is unknown: \(reason)"
        }
        return hiddenData(of: machine)
    }

    /// What a machine that has ended wrote where its volumes hid it, as far as its root was looked at, and how to get it.
    func hiddenData(of machine: MachineID) -> String? {
        guard let report = try? keptDriftReport(machine), let first = report.hidden.firstFile else { return nil }
        return "generation \(machine.generation) wrote below its mount points, where volumes hide it: "
            + "\(Self.names(report.hidden)); its root is kept: '\(wayOut(machine, first))'"
    }

    /// Whether the root of a machine is kept for what its volumes hid.
    func isKeptForHiddenData(_ machine: MachineID) -> Bool {
        (try? keptDriftReport(machine))?.hidden.isEmpty == false
    }

    /// Whether the root of a machine is there, and has mount points below which data may be.
    func mayHideData(_ machine: MachineID) -> Bool {
        guard let record = try? record(machine) else { return false }
        return hasMounts(record) && FileManager.default.fileExists(atPath: state.rootOverlay(machine))
    }

    private func hasMounts(_ record: GenerationRecord) -> Bool {
        record.cloudInit != .none && !record.spec.volumes.isEmpty
    }

    private func wayOut(_ machine: MachineID, _ path: RootPath) -> String {
        "kiln cp \(path.source(on: machine)) FILE"
    }

    private static func names(_ paths: [RootPath]) -> String {
        let rest = paths.count - 5
        return paths.prefix(5).map(\.description).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}

extension [RootPath] {
    /// The first path that no other one of them lies in, so that a file is named and no directory of it.
    public var firstFile: RootPath? {
        first { path in !contains { $0.text.hasPrefix(path.text + "/") } }
    }
}

extension RootPath {
    /// The path as 'kiln cp' takes it, quoted for a shell where that is needed.
    public func source(on machine: MachineID) -> String {
        let plain = "\(machine.member)@\(machine.generation):\(text)"
        let isPlain = plain.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "@:/._-%+,=".utf8.contains(byte)
        }
        return isPlain ? plain : "'" + plain.replacing("'", with: #"'\''"#) + "'"
    }
}
