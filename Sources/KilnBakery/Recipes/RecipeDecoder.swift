import Foundation
import KilnDocuments
import KilnModel
import KilnStore

/// Reads a recipe.
struct RecipeDecoder {
    /// The folder of the recipe's file, an absolute path.
    let folder: String
    /// Finds recipes of parents that don't lie beside it.
    let parents: Recipe.Finder

    var lineage: RecipeLineage { RecipeLineage(beside: place, parents: parents) }
    private var place: RecipeFolder { RecipeFolder(path: folder) }

    /// The recipe; complete only where no problem was reported.
    func decode(_ value: Value) -> Recipe? {
        guard FileKind.recipe.accepts(value),
            let fields = Fields<RecipeFields>(value, "a map with 'kiln-image', 'name' and more")
        else { return nil }
        fields[.kilnImage]?.requireFirstFormat()
        let name = fields[.name].flatMap(name)
        let about = fields[.about]?.text()
        let snapshot = fields[.snapshot].map { $0.snapshot() }
        let room = fields[.bake].map { $0.word(Recipe.Room.self) } ?? .chroot
        let steps = RecipeSteps(decoder: self, fields: fields, room: room ?? .chroot, snapshot: snapshot ?? nil)
        let provisioners = fields[.provision].map(steps.list) ?? []
        let tests = fields[.tests].map { CheckDecoder(ImageTests()).list($0) } ?? []
        let inheritsTests = fields[.inheritTests].map { $0.bool() ?? true } ?? true
        let settings = settings(fields)
        let versions = fields[.versions].flatMap { self.versions($0, steps) }
        let base = base(fields, room ?? .chroot, versions ?? [])
        if case .debian(let debian) = base, let value = fields[.debian] {
            value.requirePinned(debian.mirrors, on: snapshot ?? nil)
        }
        // All is read by now, so that all problems are reported.
        guard let name, let about, let room, let base, let settings, let versions, snapshot != .some(nil) else {
            return nil
        }
        return Recipe(
            folder: folder,
            name: name,
            about: about,
            base: base,
            snapshot: snapshot ?? nil,
            room: room,
            provisioners: provisioners,
            tests: tests,
            inheritsTests: inheritsTests,
            settings: settings,
            versions: versions
        )
    }

    /// What all versions begin as that say nothing else.
    private func base(
        _ fields: Fields<RecipeFields>,
        _ room: Recipe.Room,
        _ versions: [Recipe.Version]
    ) -> Recipe.Base? {
        let written = [RecipeFields.debian, .from, .download].compactMap { field in fields[field].map { (field, $0) } }
        guard let (kind, value) = written.first else {
            fields.value.problem("expected 'debian', 'from' or 'download': what the image begins as")
            return nil
        }
        for (_, other) in written.dropFirst() {
            other.problem("a recipe begins with one of 'debian', 'from' and 'download'")
        }
        BootedReview(fields: fields, room: room, lineage: lineage).review(kind, value)
        switch kind {
        case .debian: return debian(value).map { .debian($0) }
        case .from: return value.imageReference().map { .image($0) }
        default:
            return DownloadDecoder(versions: versions).decode(value).map { .download($0) }
        }
    }

    private func settings(_ fields: Fields<RecipeFields>) -> Recipe.Settings? {
        var settings = Recipe.Settings()
        settings.disk = fields[.disk]?.size(atLeast: .mebibytes(8))
        settings.commandLine = fields[.commandLine]?.text(.line)
        settings.memory = fields[.memory]?.size(atLeast: .mebibytes(32))
        settings.processors = fields[.processors]?.whole(in: 1...64)
        settings.cpu = fields[.cpu]?.processorModel()
        settings.cloudInit = fields[.cloudInit]?.word(ImageManifest.CloudInit.self)
        settings.cloudInitModules = fields[.cloudInitModules]?.list(of: "modules", atLeast: 0)?
            .compactMap { $0.text(.cloudInitModule) }
        if let cloudInit = settings.cloudInit, cloudInit != .full {
            fields[.cloudInitModules]?.problem("only an image with 'cloud-init: full' has modules of it")
        }
        settings.ssh = fields[.ssh]?.bool()
        settings.volatileRoot = fields[.volatileRoot]?.bool()
        settings.flash = fields[.flash]?.bool()
        settings.ephemeral =
            fields[.ephemeral]?.list(of: "paths", atLeast: 0)?.compactMap { $0.text(.rootPath) } ?? []
        // A parent says what the recipe leaves out.
        fields.require(
            fields[.debian] != nil ? RecipeFields.settings : fields[.download] != nil ? RecipeFields.guests : []
        )
        return settings
    }

    private func name(_ value: Value) -> Name? {
        let expected = URL(fileURLWithPath: folder).lastPathComponent
        guard let name = value.newName() else { return nil }
        guard name.text == expected else {
            value.mismatch("the name of the recipe's folder, \(Name.quoted(expected))")
            return nil
        }
        return name
    }

    private func debian(_ value: Value) -> Recipe.Debian? {
        if case .scalar = value.node.content { return value.text(.suite).map { Recipe.Debian(suite: $0) } }
        guard let fields = Fields<DebianFields>(value, "a suite, or a map with 'suite' and 'variant'") else {
            return nil
        }
        let suite = fields[.suite]?.text(.suite)
        let variant = fields[.variant]?.text(.variant)
        let packages = fields[.packages]?.list(of: "packages", atLeast: 0)?.compactMap { $0.text(.package) } ?? []
        let mirrors = fields[.mirror]?.oneOrMore(of: "mirrors").compactMap { $0.text(.mirror) } ?? []
        let keyrings = fields[.keyring]?.oneOrMore(of: "keyrings").compactMap(place.keyring) ?? []
        guard let suite, let variant else { return nil }
        return Recipe.Debian(
            suite: suite,
            variant: variant,
            packages: packages,
            mirrors: mirrors,
            keyrings: keyrings
        )
    }

    /// Variables of a program's environment.
    ///
    /// - Parameter other: reads an entry that is no variable; false where it does not know it.
    static func variables(_ value: Value, other: (YAMLNode.Entry, Value) -> Bool = { _, _ in false }) -> [String:
        String]
    {
        var variables: [String: String] = [:]
        for (entry, value) in value.entries(of: "variables") ?? [] where !other(entry, value) {
            let text = value.written("the text of a variable")
            if let name = value.key(entry, .variable) { variables[name] = text }
        }
        return variables
    }
}

extension RecipeFolder {
    /// A file of keys, absolute or below the recipe's folder.
    func keyring(_ value: Value) -> String? {
        guard let name = value.text(.keyring) else { return nil }
        let file = name.hasPrefix("/") ? name : "\(path)/\(name)"
        do {
            return try AptKeyring(file: file).file
        } catch {
            value.problem("expected a file of OpenPGP keys, absolute or below the recipe's folder: \(error)")
            return nil
        }
    }

    /// A folder beside the recipe's own.
    func sharedFolder(_ value: Value) -> String? {
        guard let name = value.text(.fileName) else { return nil }
        guard Recipe.isFolder("\(shared)/\(name)") else {
            value.problem("expected a folder beside the recipe's own, found no \(Name.quoted(name)) in \(shared)")
            return nil
        }
        return name
    }
}

extension Value {
    /// How an image is named.
    func imageReference() -> ImageReference? {
        let expected = "an image: name, name:version, name@channel or name@sha256:…"
        guard let text = text(expected) else { return nil }
        guard let reference = try? ImageReference(text) else {
            mismatch(expected)
            return nil
        }
        return reference
    }

    /// Reports a mirror that has the same packages whatever the day is.
    func requirePinned(_ mirrors: [String], on snapshot: SnapshotDate?) {
        guard let snapshot, let reason = DebianMirror.unpinned(mirrors, on: snapshot) else { return }
        problem(reason)
    }

    fileprivate func snapshot() -> SnapshotDate? {
        // Unquoted, YAML takes it for a time of its own.
        guard let text = written("a day such as 2026-11-01") else { return nil }
        guard let date = SnapshotDate(text) else {
            mismatch("a day such as 2026-11-01")
            return nil
        }
        return date
    }
}
