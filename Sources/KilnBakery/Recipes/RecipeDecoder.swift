import Foundation
import KilnDocuments
import KilnModel
import KilnStore

/// Reads a recipe.
struct RecipeDecoder {
    /// The folder of the recipe's file, an absolute path.
    let folder: String

    /// The recipe; complete only where no problem was reported.
    func decode(_ value: Value) -> Recipe? {
        guard FileKind.recipe.accepts(value),
            let fields = Fields<RecipeFields>(value, "a map with 'kiln-image', 'name' and more")
        else { return nil }
        fields[.kilnImage]?.requireFirstFormat()
        let name = fields[.name].flatMap(name)
        let about = fields[.about]?.text()
        let size = size(fields)
        let cloudInit = fields[.cloudInit]?.word(ImageManifest.CloudInit.self)
        let modules = fields[.cloudInitModules]?.list(of: "modules", atLeast: 0)?
            .compactMap { $0.text(.cloudInitModule) }
        if let cloudInit, cloudInit != .full {
            fields[.cloudInitModules]?.problem("only an image with 'cloud-init: full' has modules of it")
        }
        let ssh = fields[.ssh]?.bool()
        let volatileRoot = fields[.volatileRoot]?.bool() ?? false
        let ephemeral = fields[.ephemeral]?.list(of: "paths", atLeast: 0)?.compactMap { $0.text(.rootPath) } ?? []
        let versions = fields[.versions].flatMap(versions)
        let source = source(fields, versions: versions ?? [])
        // All is read by now, so that all problems are reported.
        guard let name, let about, let source, let size, let cloudInit, let ssh, let versions else { return nil }
        return Recipe(
            folder: folder,
            name: name,
            about: about,
            source: source,
            size: size,
            cloudInit: cloudInit,
            cloudInitModules: modules,
            ssh: ssh,
            volatileRoot: volatileRoot,
            ephemeral: ephemeral,
            versions: versions
        )
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

    private func source(_ fields: Fields<RecipeFields>, versions: [Recipe.Version]) -> Recipe.Source? {
        guard let download = fields[.download] else { return assembly(fields).map { .assembled($0) } }
        for field in [RecipeFields.debian, .assemble, .shared, .disk, .commandLine, .volatileRoot] {
            fields[field]?.problem("a disk that is downloaded is taken as it is, so it has no '\(field.rawValue)'")
        }
        return DownloadDecoder(versions: versions).decode(download).map { .published($0) }
    }

    private func assembly(_ fields: Fields<RecipeFields>) -> Recipe.Assembly? {
        fields.require([.debian, .assemble, .disk, .commandLine])
        let debian = fields[.debian].flatMap(debian)
        let program = fields[.assemble].flatMap(program)
        let shared = fields[.shared]?.list(of: "folders", atLeast: 0)?.compactMap(sharedFolder) ?? []
        let disk = fields[.disk]?.size(atLeast: .mebibytes(8))
        let commandLine = fields[.commandLine]?.text(.line)
        guard let debian, let program, let disk, let commandLine else { return nil }
        return Recipe.Assembly(debian: debian, program: program, shared: shared, disk: disk, commandLine: commandLine)
    }

    private func debian(_ value: Value) -> Recipe.Debian? {
        guard let fields = Fields<DebianFields>(value, "a map with 'suite' and 'variant'") else { return nil }
        let suite = fields[.suite]?.text(.suite)
        let variant = fields[.variant]?.text(.variant)
        let packages = fields[.packages]?.list(of: "packages", atLeast: 0)?.compactMap { $0.text(.package) } ?? []
        let mirrors = fields[.mirror]?.oneOrMore(of: "mirrors").compactMap { $0.text(.mirror) } ?? []
        let keyrings = fields[.keyring]?.oneOrMore(of: "keyrings").compactMap(keyring) ?? []
        guard let suite, let variant else { return nil }
        return Recipe.Debian(
            suite: suite,
            variant: variant,
            packages: packages,
            mirrors: mirrors,
            keyrings: keyrings
        )
    }

    private func size(_ fields: Fields<RecipeFields>) -> MachineSize? {
        let memory = fields[.memory]?.size(atLeast: .mebibytes(32))
        let processors = fields[.processors]?.whole(in: 1...64)
        let cpu = fields[.cpu]?.processorModel()
        guard let memory, let processors else { return nil }
        return MachineSize(memory: memory, processors: processors, cpu: cpu)
    }

    private func versions(_ value: Value) -> [Recipe.Version]? {
        guard let entries = value.entries(of: "versions and their variables") else { return nil }
        if entries.isEmpty { value.mismatch("at least one version") }
        let versions = entries.compactMap { entry, value in
            let variables = variables(value)
            return value.key(entry, .version).map { Recipe.Version(name: $0, variables: variables) }
        }
        return versions.sorted { VersionOrder.isOlder($0.name, $1.name) }
    }

    private func variables(_ value: Value) -> [String: String] {
        var variables: [String: String] = [:]
        for (entry, value) in value.entries(of: "variables") ?? [] {
            let text = value.written("the text of a variable")
            if let name = value.key(entry, .variable) { variables[name] = text }
        }
        return variables
    }
}

extension RecipeDecoder {
    /// The program that makes the root file system, which has to be there: a bake notices only after minutes.
    private func program(_ value: Value) -> String? {
        guard let name = value.text(.fileName) else { return nil }
        let path = "\(folder)/\(name)"
        guard FileManager.default.fileExists(atPath: path), !Recipe.isFolder(path) else {
            value.problem("expected a program in the recipe's folder, which has no file \(Name.quoted(name))")
            return nil
        }
        guard FileManager.default.isExecutableFile(atPath: path) else {
            value.problem("\(Name.quoted(name)) may not be executed: 'chmod +x \(path)'")
            return nil
        }
        return name
    }

    private func keyring(_ value: Value) -> String? {
        guard let name = value.text(.keyring) else { return nil }
        let path = name.hasPrefix("/") ? name : "\(folder)/\(name)"
        do {
            return try AptKeyring(file: path).file
        } catch {
            value.problem("expected a file of OpenPGP keys, absolute or below the recipe's folder: \(error)")
            return nil
        }
    }

    private func sharedFolder(_ value: Value) -> String? {
        guard let name = value.text(.fileName) else { return nil }
        let parent = URL(fileURLWithPath: folder).deletingLastPathComponent().path
        guard Recipe.isFolder("\(parent)/\(name)") else {
            value.problem("expected a folder beside the recipe's own, found no \(Name.quoted(name)) in \(parent)")
            return nil
        }
        return name
    }
}
