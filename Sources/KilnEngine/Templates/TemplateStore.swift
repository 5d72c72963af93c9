import Foundation
import KilnModel
import KilnStore
import KilnSystem

/// The templates of a state directory.
///
/// They can be made again, so whatever is wrong with one, it is removed.
struct TemplateStore: Sendable {
    let state: StateDirectory
    let parts: EngineParts

    /// The template that a machine of this record can be cloned from.
    ///
    /// - Throws: `template.impossible`, `template.missing`, `template.changed`; what keeps the image or the hypervisor from being
    ///   looked at.
    func find(for record: GenerationRecord, _ workspace: ServerWorkspace) async throws -> Template {
        let key = try await key(of: record, workspace)
        guard let found = try await usable(key) else {
            throw KilnError(
                .templateMissing,
                "there is no template yet of \(record.image.name):\(record.image.version) with such a machine",
                exit: .aborted
            )
        }
        return found
    }

    /// The key of the template of machines like this one.
    ///
    /// - Throws: `template.impossible` where there can be none.
    func key(of record: GenerationRecord, _ workspace: ServerWorkspace) async throws -> TemplateKey {
        guard record.cloudInit != .none, try await workspace.image(of: record).manifest.flash == true else {
            throw KilnError(
                .templateImpossible,
                "the image \(record.image.name):\(record.image.version) does not say 'flash: true', as one does whose boot can be "
                    + "held",
                exit: .aborted
            )
        }
        let spec = try workspace.template(record, as: record.machine, in: "")
        return try TemplateKey(record, spec, ground: try await parts.machines.templateGround())
    }

    /// The template with that key, unless there is none; one that is not as it was made is removed.
    ///
    /// - Throws: `template.changed`.
    func usable(_ key: TemplateKey) async throws -> Template? {
        let folder = folder(key)
        guard let record = try? DurableFile.readJSON(TemplateRecord.self, from: Template.record(in: folder)) else {
            return nil
        }
        guard record.isOfThisBoot else {
            try remove(key)
            return nil
        }
        if record.stamps != FileStamp.all(in: folder) { try await requireUnchanged(key, record) }
        return Template(key: key, folder: folder)
    }

    // Something touched a file; what is in it counts.
    private func requireUnchanged(_ key: TemplateKey, _ record: TemplateRecord) async throws {
        let folder = folder(key)
        // Taken first: a write during the comparison then shows the next time.
        let stamps = FileStamp.all(in: folder)
        let found = await BlockingWork.run {
            Template.sealed(in: folder).compactMapValues { try? FileDigest.sha256(of: $0) }
        }
        guard found == record.digests else {
            try remove(key)
            let changed = record.digests.filter { found[$0.key] != $0.value }.keys.sorted().first ?? "memory"
            throw KilnError(
                .templateChanged,
                "the template's \(changed) was changed since it was made, so the template was removed",
                exit: .aborted
            )
        }
        var looked = record
        looked.stamps = stamps
        try DurableFile.writeJSON(looked, to: Template.record(in: folder))
    }

    /// What is in a template's files.
    static func digests(in folder: String) async throws -> [String: ImageDigest] {
        try await BlockingWork.run {
            try Template.sealed(in: folder).mapValues { try FileDigest.sha256(of: $0) }
        }
    }

    func folder(_ key: TemplateKey) -> String { "\(state.templates)/\(key.text)" }
    func making(_ key: TemplateKey) -> String { folder(key) + ".making" }

    /// Takes the lock of whoever makes a template.
    ///
    /// - Throws: `lock.held`.
    func lock(_ key: TemplateKey) throws -> FileLock {
        try DurableFile.makeDirectory(state.templates)
        return try FileLock(folder(key) + ".lock", subject: "the template \(key.text.prefix(12))")
    }

    /// Removes a template; machines that were cloned from it need nothing of it.
    func remove(_ key: TemplateKey) throws {
        // Without its record it is none.
        try DurableFile.remove(Template.record(in: folder(key)))
        try DurableFile.remove(folder(key))
    }

    /// All that are whole, and what is known of them.
    func all() -> [(key: TemplateKey, record: TemplateRecord)] {
        names.compactMap(TemplateKey.init(named:)).compactMap { key in
            let record = try? DurableFile.readJSON(TemplateRecord.self, from: Template.record(in: folder(key)))
            return record.map { (key, $0) }
        }
    }

    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: state.templates)) ?? []).sorted()
    }
}
