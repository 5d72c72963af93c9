import Foundation
import KilnModel

/// The volumes of a server's members: new ones begin with what another member has.
extension LabEngine {
    /// A volume of a member.
    struct OwnVolume {
        /// Its name in the lab file.
        let declared: Name
        /// Its own name.
        let name: Name
        let spec: VolumeSpec
    }

    /// The volumes that a member mounts as a lab declares it, by name.
    func ownVolumes(of id: MemberID, _ lab: LabSpec) throws -> [OwnVolume] {
        let declared = lab.servers[id.server]?.volumes.keys.sorted() ?? []
        return try declared.compactMap { name in
            try lab.volumes[name].map { OwnVolume(declared: name, name: try id.own(name), spec: $0) }
        }
    }

    /// A volume that a new member gets as a copy of another one's.
    private struct MissingCopy {
        let id: MemberID
        let volume: OwnVolume
    }

    /// Where the volume of a member comes from that is missing; nothing where it begins empty.
    func comesFrom(_ volume: OwnVolume, of id: MemberID, _ lab: LabSpec) throws -> String? {
        guard id.ordinal > 0 else { return nil }
        if let kept = try retained(volume, of: id) { return "takes up its retained volume \(kept)" }
        let source = lab.servers[id.server]?.fleet?.volumeFrom ?? .empty
        guard source != .empty, let origin = try origin(of: source, id.whole, lab) else { return nil }
        let original = try origin.own(volume.declared)
        if case .snapshot(let name) = source { return "begins as a copy of snapshot \(name) of \(original)" }
        return "begins as a copy of \(original)"
    }

    /// Makes the volumes of members that are missing.
    func makeVolumes(_ lab: LabSpec, _ server: ServerID, _ members: [(MemberID, ServerSpec)]) async throws {
        let source = lab.servers[server.server]?.fleet?.volumeFrom ?? .empty
        let origin = try origin(of: source, server, lab)
        var copies: [MissingCopy] = []
        for (id, _) in members {
            for volume in try ownVolumes(of: id, lab) {
                if id.ordinal > 0, lab.volumes[volume.name] != nil { throw taken(volume, of: id) }
                guard try volumes.isMissing(lab: lab.name, volume.name, spec: volume.spec) else { continue }
                if try takeUp(volume, of: id) { continue }
                if id.ordinal > 0, source != .empty, origin != nil {
                    copies.append(MissingCopy(id: id, volume: volume))
                } else {
                    try await create(volume, of: id)
                }
            }
        }
        guard let origin else { return }
        for alike in Dictionary(grouping: copies, by: \.volume.declared).sorted(by: { $0.key < $1.key }) {
            try await copy(alike.value, source, origin)
        }
    }

    private func taken(_ volume: OwnVolume, of id: MemberID) -> KilnError {
        KilnError(
            .volumeExists,
            "the volume \(volume.declared) of \(id) would be called \(volume.name), which the lab declares as another one",
            hint: "call that one otherwise",
            exit: .aborted
        )
    }

    // Whose volumes new members get copies of: of one that was launched, else of one whose volumes were kept as the lab was taken
    // down. Before there is either, there is no data that a new member could have.
    private func origin(of source: FleetSpec.VolumeSource, _ server: ServerID, _ lab: LabSpec) throws -> MemberID? {
        var serving = try members(of: server).filter { try workspace($0).history().current != nil }
        if serving.isEmpty {
            serving = try (0..<(lab.servers[server.server]?.replicas ?? 1)).map(server.member).filter { id in
                let own = try ownVolumes(of: id, lab)
                return try !own.isEmpty
                    && own.allSatisfy { try !volumes.isMissing(lab: lab.name, $0.name, spec: $0.spec) }
            }
        }
        guard case .clone(let wanted?) = source else { return serving.first }
        if serving.isEmpty { return nil }
        guard let named = serving.first(where: { $0.ordinal == wanted }) else {
            throw KilnError(
                .serverMissing,
                "new members of \(server) get clones of the volumes of \(server).\(wanted), which does not serve",
                hint: "bring it up, or declare another 'volume-from'; those that serve: "
                    + serving.map { "\($0.ordinal)" }.joined(separator: ", "),
                exit: .usage
            )
        }
        return named
    }

    private func takeUp(_ volume: OwnVolume, of id: MemberID) throws -> Bool {
        guard id.ordinal > 0, let kept = try retained(volume, of: id) else { return false }
        _ = try volumes.undelete(kept)
        parts.progress(.note("\(id) takes up its retained volume \(kept)"))
        return true
    }

    private func create(_ volume: OwnVolume, of id: MemberID) async throws {
        try await volumes.createIfMissing(lab: id.lab, volume.name, spec: volume.spec)
        guard let remark = volumes.remark(on: volume.spec.size) else { return }
        parts.progress(.note("\(id.lab)/\(volume.name): \(remark)"))
    }

    // All of them begin with the same layers, so what is true of one is true of all.
    private func copy(_ copies: [MissingCopy], _ source: FleetSpec.VolumeSource, _ origin: MemberID) async throws {
        guard let first = copies.first else { return }
        var snapshot: Name?
        if case .snapshot(let name) = source { snapshot = name }
        let (lab, from) = (origin.lab, try origin.own(first.volume.declared))
        let made = try await copyVolume(lab: lab, from, as: copies.map(\.volume.name), at: snapshot)
        let what = snapshot.map { "snapshot \($0) of \(from)" } ?? from.text
        for copy in made {
            let name = copy.volume.name
            parts.progress(.note("\(lab)/\(name) begins as a copy of \(what) (\(copy.consistency.rawValue))"))
        }
        try await requireSound(made, of: first.id, copiedFrom: from)
    }

    // The latest that was this member's, and not a state that a return to a snapshot discarded.
    private func retained(_ volume: OwnVolume, of id: MemberID) throws -> String? {
        try volumes.retainedVolumes().filter { kept in
            guard let record = kept.record, !kept.isDiscarded, !record.isOfRun else { return false }
            return record.lab == id.lab && record.name == volume.name && record.spec == volume.spec
        }.map(\.kept).max()
    }

    // What has damage is no start for a new member: the copies go, and the original is for a person to look at. What is newer
    // than the tools of this host may be sound.
    private func requireSound(_ copies: [ClonedVolume], of id: MemberID, copiedFrom original: Name) async throws {
        guard let first = copies.first else { return }
        do {
            let finding = try await checkVolume(lab: id.lab, first.volume.name).finding
            if case .damaged(let words) = finding { throw damaged(original, words, for: id) }
            guard finding.isSound || first.consistency != .crashConsistent else { return }
            for copy in copies { try await volumes.markClean(lab: id.lab, name: copy.volume.name) }
        } catch {
            for copy in copies { try? volumes.purge(try volumes.retain(lab: id.lab, copy.volume.name)) }
            throw error
        }
    }

    private func damaged(_ original: Name, _ words: [String], for id: MemberID) -> KilnError {
        KilnError(
            .volumeDamaged,
            "the file system of volume \(id.lab)/\(original) is damaged, so \(id) gets no copy of it",
            hint: "stop its server and repair it: 'kiln volume check \(id.lab)/\(original) --repair'",
            cause: words.joined(separator: "; "),
            exit: .aborted
        )
    }
}
