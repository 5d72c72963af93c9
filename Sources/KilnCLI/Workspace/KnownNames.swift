import Foundation
import KilnEngine
import KilnHost
import KilnModel
import KilnScenarios
import KilnSystem

/// The names in the state directory, for completion in a shell: read without a hypervisor, so that it is instant.
///
/// What can't be read has no names: a shell has no place for an error.
struct KnownNames {
    let state: StateDirectory

    /// The names of this process's state directory.
    static var current: KnownNames {
        KnownNames(state: StateDirectory(root: (try? KilnHome.location()) ?? "/nonexistent", sockets: ""))
    }

    /// Every form that names exactly one server: `LAB/NAME`, and `NAME` where one lab has it.
    var servers: [String] {
        let all = labNames.flatMap { lab in
            names(in: state.lab(lab) + "/servers").map { ServerID(lab: lab, server: $0) }
        }
        let counts = Dictionary(all.map { ($0.server.text, 1) }, uniquingKeysWith: +)
        let short = all.filter { counts[$0.server.text] == 1 }
        return (short.flatMap { forms(of: $0, $0.server.text) } + all.flatMap { forms(of: $0, $0.description) })
            .sorted()
    }

    // Where there are several members, each of them, too.
    private func forms(of server: ServerID, _ text: String) -> [String] {
        let others = entries(of: state.members(server)).compactMap(Int.init).sorted()
        return [text] + (others.isEmpty ? [] : ([0] + others).map { "\(text).\($0)" })
    }

    /// The servers without their labs.
    var serverNames: [String] { Set(labNames.flatMap { names(in: state.lab($0) + "/servers") }.map(\.text)).sorted() }

    /// The labs.
    var labs: [String] { labNames.map(\.text) }

    /// The volumes, as `LAB/NAME`.
    var volumes: [String] {
        names(in: state.volumes).flatMap { lab in names(in: "\(state.volumes)/\(lab)").map { "\(lab)/\($0)" } }
    }

    /// The recipes that are found by name.
    var recipes: [String] { SearchPath(.recipes).names.map(\.text) }

    /// The scenarios that are found by name.
    var scenarios: [String] { SearchPath(.scenarios).names.map(\.text) }

    /// The lessons that are found by name.
    var lessons: [String] { SearchPath(.lessons).names.map(\.text) }

    /// The runs that are remembered, by their labs, the latest first.
    var runs: [String] { RunLogFiles(folder: state.reports).runs.reversed().map(\.text) }

    /// The retained volumes, as `LAB.NAME.TIME`.
    var retained: [String] { entries(of: state.retained).filter { !$0.hasPrefix(".") } }

    /// The images, as `NAME:VERSION` and as `NAME@CHANNEL`.
    var images: [String] {
        let folder = state.images + "/names"
        let versions = names(in: folder).flatMap { name in
            entries(of: "\(folder)/\(name)").filter(ImageReference.acceptsVersion).map { "\(name):\($0)" }
        }
        return versions + imageChannels.map { "\($0.image)@\($0.channel)" }
    }

    /// The names of images.
    var imageNames: [String] { names(in: state.images + "/names").map(\.text) }

    /// The names of channels, whichever image has them.
    var channels: [String] { Set(imageChannels.map(\.channel.text)).sorted() }

    private var imageChannels: [(image: Name, channel: Name)] {
        let folder = state.images + "/channels"
        return names(in: folder).flatMap { image in
            entries(of: "\(folder)/\(image)").filter { $0.hasSuffix(".json") }
                .compactMap { try? Name(String($0.dropLast(5))) }.map { (image, $0) }
        }
    }

    /// The snapshots of a volume, oldest first.
    func snapshots(of volume: VolumePath) -> [String] {
        let file = state.volume(lab: volume.lab, volume.name) + "/volume.json"
        // Anything but a plain file might keep the shell waiting.
        let kind = try? FileManager.default.attributesOfItem(atPath: file)[.type] as? FileAttributeType
        guard kind == .typeRegular, let record = try? DurableFile.readJSON(VolumeRecord.self, from: file) else {
            return []
        }
        return record.snapshots.map(\.name.text)
    }

    /// Folders, and files that may be scenarios, or any, whose paths begin so.
    static func files(startingWith prefix: String, ofAnyKind: Bool = false) -> [String] {
        let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
        return entries.sorted().map { folder + $0 }.filter { $0.hasPrefix(prefix) }.compactMap { path in
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
            if isFolder.boolValue { return path + "/" }
            return ofAnyKind || path.hasSuffix(".yaml") || path.hasSuffix(".yml") ? path : nil
        }
    }

    private var labNames: [Name] { names(in: state.labs) }

    private func names(in directory: String) -> [Name] { entries(of: directory).compactMap { try? Name($0) } }

    private func entries(of directory: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
    }
}
