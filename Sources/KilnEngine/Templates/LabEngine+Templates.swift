import Foundation
import KilnModel
import KilnStore
import KilnSystem

extension LabEngine {
    private var templates: TemplateStore { TemplateStore(state: state, parts: parts) }

    /// Makes the templates that the next machines of these members could be cloned from, where they are missing.
    ///
    /// Nothing depends on them: that one can't be made is told, and no more. What could not be made for one member can't be for
    /// another, and to see that takes as long as a boot may: each is tried once.
    func makeTemplates(for members: [(MemberID, ServerSpec)]) async throws {
        var tried: Set<TemplateKey> = []
        for (id, spec) in members where spec.launch == .flash {
            do {
                let draft = try await draft(of: id)
                if tried.insert(draft.key).inserted { try await make(draft) }
            } catch let error as KilnError where ![.unreachable, .interrupted].contains(error.exit) {
                parts.progress(.note("no template of \(id) was made, so its machines boot: \(error.reason)"))
            }
        }
    }

    /// Makes the template that machines of a server like its present one can be cloned from, unless there is one.
    ///
    /// - Returns: whether it was made now.
    /// - Throws: `template.…`, `lock.held` where another command makes it.
    @discardableResult
    public func makeTemplate(for id: MemberID) async throws -> Bool { try await make(try await draft(of: id)) }

    /// Of what a template is made, and its key.
    private typealias Draft = (workspace: ServerWorkspace, record: GenerationRecord, key: TemplateKey)

    private func draft(of id: MemberID) async throws -> Draft {
        let workspace = try existing(id)
        let record = try workspace.record(try machine(id))
        return (workspace, record, try await templates.key(of: record, workspace))
    }

    @discardableResult
    private func make(_ draft: Draft) async throws -> Bool {
        let (workspace, record, key) = draft
        // One that was changed is removed by the look at it.
        if (try? await templates.usable(key)) != nil { return false }
        let lock = try templates.lock(key)
        defer { withExtendedLifetime(lock) {} }
        guard try await templates.usable(key) == nil else { return false }
        let begin = ContinuousClock.now
        let what = "a template of \(record.image.name):\(record.image.version)"
        parts.progress(.note("making \(what), from which the next machines are cloned"))
        try await TemplateMaker(store: templates, workspace: workspace, record: record, key: key).make()
        let seconds = ((ContinuousClock.now - begin) / .milliseconds(100)).rounded() / 10
        parts.progress(.note("\(what) was made in \(seconds) s"))
        return true
    }

    /// Removes all templates of images; machines that were cloned from them stay as they are.
    ///
    /// - Returns: how many there were.
    @discardableResult
    public func removeTemplates(of images: Set<ImageDigest>) throws -> Int {
        let found = templates.all().filter { images.contains($0.record.image.digest) }
        for template in found { try templates.remove(template.key) }
        return found.count
    }

    /// Removes templates that nothing can be cloned from any more, and what commands that were killed left of others.
    func removeStaleTemplates(dryRun: Bool) async throws -> [String] {
        let names = templates.names
        guard !names.isEmpty else { return [] }
        let ground = try? await parts.machines.templateGround()
        var removed: [String] = []
        let (current, stale) = templates.all().partitioned { isCurrent($0.record, ground) }
        for template in stale {
            removed.append(templates.folder(template.key))
            if !dryRun { try templates.remove(template.key) }
        }
        let known = Set(current.map(\.key.text))
        for name in names where !known.contains(name) && !stale.contains(where: { $0.key.text == name }) {
            removed += try await removeLeftover(name, known, dryRun: dryRun)
        }
        return removed
    }

    private func isCurrent(_ record: TemplateRecord, _ ground: String?) -> Bool {
        guard record.isOfThisBoot, ground == nil || ground == record.ground else { return false }
        let reference = ImageReference(name: record.image.name, selector: .digest(record.image.digest))
        return (try? parts.images.usable(reference, .any)) != nil
    }

    // Half a template, or a lock whose template is gone; whoever makes one has its lock.
    private func removeLeftover(_ name: String, _ known: Set<String>, dryRun: Bool) async throws -> [String] {
        let base = name.split(separator: ".").first.map(String.init) ?? name
        guard let key = TemplateKey(named: base), let lock = try? templates.lock(key) else { return [] }
        defer { withExtendedLifetime(lock) {} }
        let path = "\(state.templates)/\(name)"
        // Its template may have come meanwhile.
        if name.hasSuffix(".lock"), known.contains(base) || templates.all().contains(where: { $0.key == key }) {
            return []
        }
        if !dryRun {
            if name.hasSuffix(".making") { try await TemplateMaker.clearAway(path, templates) }
            try DurableFile.remove(path)
        }
        // A lock alone is no garbage that anybody has to be told of.
        return name.hasSuffix(".lock") ? [] : [path]
    }
}

extension Array {
    /// Those for which something is so, and those for which it is not.
    fileprivate func partitioned(_ isSo: (Element) -> Bool) -> (those: [Element], others: [Element]) {
        (filter(isSo), filter { !isSo($0) })
    }
}
