import Foundation
import KilnModel
import Yams

/// Turns YAML nodes into a recipe and collects every problem on the way, so that a user sees all of them at once.
struct RecipeReader {
    let file: String
    var problems: [RecipeProblem] = []

    init(file: String) { self.file = file }

    private static let keys = [
        "kiln-image", "name", "about", "debian", "assemble", "shared", "disk", "command-line", "memory", "processors",
        "cpu", "cloud-init", "cloud-init-modules", "ssh", "volatile-root", "ephemeral", "versions",
    ]

    mutating func recipe(_ node: Node, folder: String) -> Recipe? {
        guard let map = mapping(node, "a recipe", keys: RecipeReader.keys) else { return nil }
        let format = required("kiln-image", in: map, of: node) { $0.value($1, "1") { $0 == "1" ? $0 : nil } }
        let name = required("name", in: map, of: node) { $0.name($1, folder: folder) }
        let about = required("about", in: map, of: node) { $0.value($1, "one sentence") { $0.isEmpty ? nil : $0 } }
        let debian = required("debian", in: map, of: node) { $0.debian($1) }
        let assemble = required("assemble", in: map, of: node) { $0.value($1, "a file name", RecipeReader.component) }
        let shared = map["shared"].map { list($0, "a folder name", RecipeReader.component) } ?? []
        let disk = required("disk", in: map, of: node) { $0.size($1) }
        let commandLine = required("command-line", in: map, of: node) {
            $0.value($1, "a line of text") { $0.contains("\n") || $0.isEmpty ? nil : $0 }
        }
        let memory = required("memory", in: map, of: node) { $0.size($1) }
        let processors = required("processors", in: map, of: node) {
            $0.value($1, "a number from 1 to 64") { Int($0).flatMap { (1...64).contains($0) ? $0 : nil } }
        }
        let cpu = map["cpu"].map { value($0, "x86-64-v2, x86-64-v3, host or a model") { ProcessorModel($0) } }
        let cloudInit = required("cloud-init", in: map, of: node) {
            $0.value($1, "full, subset or none") { ImageManifest.CloudInit(rawValue: $0) }
        }
        let modules = map["cloud-init-modules"].map {
            list($0, "a module of cloud-init") { CloudConfigKey.isModule($0) ? $0 : nil }
        }
        if let node = map["cloud-init-modules"], let cloudInit, cloudInit != .full {
            report(node, "only an image with 'cloud-init: full' has modules of it")
        }
        let ssh = required("ssh", in: map, of: node) {
            $0.value($1, "true or false") { ["true": true, "false": false][$0] }
        }
        let volatileRoot = map["volatile-root"].map {
            value($0, "true or false") { ["true": true, "false": false][$0] }
        }
        let ephemeral = map["ephemeral"].map { list($0, "an absolute path", RecipeReader.absolutePath) } ?? []
        let versions = required("versions", in: map, of: node) { $0.versions($1) }
        guard format != nil, let name, let about, let debian, let assemble, let disk, let commandLine, let memory,
            let processors, let cloudInit, let ssh, let versions
        else { return nil }
        return Recipe(
            folder: folder,
            name: name,
            about: about,
            debian: debian,
            assemble: assemble,
            shared: shared,
            disk: disk,
            commandLine: commandLine,
            size: MachineSize(memory: memory, processors: processors, cpu: cpu ?? nil),
            cloudInit: cloudInit,
            cloudInitModules: modules,
            ssh: ssh,
            volatileRoot: (volatileRoot ?? nil) ?? false,
            ephemeral: ephemeral,
            versions: versions
        )
    }

    private mutating func name(_ node: Node, folder: String) -> Name? {
        let expected = URL(fileURLWithPath: folder).lastPathComponent
        return value(node, "the folder's name, \(Name.quoted(expected)), which also has to be a valid name") {
            $0 == expected ? try? Name($0) : nil
        }
    }

    private mutating func debian(_ node: Node) -> Recipe.Debian? {
        guard let map = mapping(node, "debian", keys: ["suite", "variant", "packages"]) else { return nil }
        let suite = required("suite", in: map, of: node) { $0.value($1, "a code name", RecipeReader.word) }
        let variant = required("variant", in: map, of: node) { $0.value($1, "mmdebstrap's variant", RecipeReader.word) }
        let packages = map["packages"].map { list($0, "a package's name", RecipeReader.word) } ?? []
        guard let suite, let variant else { return nil }
        return Recipe.Debian(suite: suite, variant: variant, packages: packages)
    }

    private mutating func versions(_ node: Node) -> [Recipe.Version]? {
        guard let map = mapping(node, "versions", keys: nil) else { return nil }
        if map.isEmpty { report(node, "expected at least one version") }
        var found: [Recipe.Version] = []
        for (key, value) in map {
            guard let text = key.scalar?.string, ImageReference.acceptsVersion(text) else {
                report(key, "expected a version: up to 40 letters, digits, '.', '_', '+' and '-'")
                continue
            }
            found.append(Recipe.Version(name: text, variables: variables(value)))
        }
        return found.sorted { VersionOrder.isOlder($0.name, $1.name) }
    }

    private mutating func variables(_ node: Node) -> [String: String] {
        guard let map = mapping(node, "a version", keys: nil) else { return [:] }
        var found: [String: String] = [:]
        for (key, value) in map {
            guard let name = key.scalar?.string, RecipeReader.isVariable(name) else {
                report(key, "expected a variable such as GREETING: A-Z, 0-9 and '_', not starting with KILN_")
                continue
            }
            found[name] = self.value(value, "a text") { $0.contains("\0") ? nil : $0 }
        }
        return found
    }

    private static func isVariable(_ text: String) -> Bool {
        guard let first = text.utf8.first, (0x41...0x5a).contains(first), !text.hasPrefix("KILN_") else { return false }
        return text.utf8.allSatisfy { (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
    }

    /// One path component that can't climb.
    private static func component(_ text: String) -> String? {
        text.isEmpty || text.hasPrefix(".") || text.hasPrefix("-") || text.contains("/") || text.contains("\0")
            ? nil : text
    }

    /// A word of the Debian archive: it becomes part of a comma-separated argument.
    private static func word(_ text: String) -> String? {
        let allowed = Set("abcdefghijklmnopqrstuvwxyz0123456789.+-".utf8)
        guard let first = text.utf8.first, first != UInt8(ascii: "-"), text.utf8.allSatisfy(allowed.contains) else {
            return nil
        }
        return text
    }

    private static func absolutePath(_ text: String) -> String? {
        text.hasPrefix("/") && text.count > 1 && !text.split(separator: "/").contains("..") ? text : nil
    }
}
