import Foundation
import KilnModel
import KilnSystem

/// How apt in a room reaches archives as the host's apt does, where the host's settings name what only the host has.
///
/// Files with certificates and keys are copied into the room. The program that finds a proxy is run here, for each host that
/// the sources name.
struct AptAcquisition: Sendable {
    /// Lines of a configuration.
    private(set) var lines: [String] = []
    /// What people should know of: settings that don't hold in the room.
    private(set) var notes: [String] = []

    private static let files: Set = ["cainfo", "sslcert", "sslkey", "issuercert", "crlfile"]
    private static let folders: Set = ["capath"]
    private static let programs: Set = ["proxy-auto-detect", "proxyautodetect"]

    /// - Parameters:
    ///   - settings: lines of `NAME "VALUE";`.
    ///   - sources: lines of a `sources.list`.
    ///   - folder: where files are copied to, which is there already.
    ///   - place: the same folder as the room sees it.
    /// - Throws: `KilnError` with code `file.unwritable`; `CancellationError`.
    init(_ settings: [String], sources: [String], folder: String, place: String) async throws {
        let parts = settings.compactMap { AptAcquisition.parts($0) }
        let named = Set(parts.filter { !$0.value.isEmpty }.map { $0.name.lowercased() })
        for setting in settings {
            guard let (name, value) = AptAcquisition.parts(setting), !value.isEmpty else {
                lines.append(setting)
                continue
            }
            switch name.split(separator: ":").last?.lowercased() ?? "" {
            case let last where Self.files.contains(last): try lend(value, for: name, folder, place)
            case let last where Self.folders.contains(last): leaveOut(name, value)
            case let last where Self.programs.contains(last):
                try await ask(value, for: name, AptAcquisition.addresses(in: sources), besides: named)
            default: lines.append(setting)
            }
        }
    }

    /// The name and the value of a setting.
    private static func parts(_ setting: String) -> (name: String, value: String)? {
        setting.wholeMatch(of: /(\S+) "(.*)";/).map { (String($0.1), String($0.2)) }
    }

    /// The first address for each scheme and host, in their order.
    private static func addresses(in sources: [String]) -> [URLComponents] {
        let words = sources.flatMap { $0.split(separator: " ") }.filter { $0.contains("://") }
        return words.compactMap { URLComponents(string: String($0)) }.reduce(into: []) { found, address in
            let isNew = !found.contains { $0.host == address.host && $0.scheme == address.scheme }
            if address.host?.isEmpty == false, isNew { found.append(address) }
        }
    }

    private mutating func lend(_ file: String, for name: String, _ folder: String, _ place: String) throws {
        guard let content = FileManager.default.contents(atPath: file) else { return leaveOut(name, file) }
        let copy = "host-\(lines.count)"
        // A key is for its owner only, whom the room's root is.
        try DurableFile.write(content, to: "\(folder)/\(copy)", mode: 0o600)
        lines.append("\(name) \"\(place)/\(copy)\";")
    }

    // It prints a proxy, or DIRECT, or nothing where it has no opinion. apt asks it of no host that has a proxy of its own.
    // https://manpages.debian.org/trixie/apt/apt-transport-http.1.en.html
    private mutating func ask(
        _ program: String,
        for name: String,
        _ addresses: [URLComponents],
        besides named: Set<String>
    ) async throws {
        let scheme = name.split(separator: ":").dropFirst().first.map(String.init) ?? ""
        for address in addresses where address.scheme == scheme {
            guard let host = address.host, let uri = address.string else { continue }
            let setting = "Acquire::\(scheme)::Proxy::\(host)"
            guard !named.contains(setting.lowercased()) else { continue }
            do {
                let found = try await Command.bake(program, [uri]).result()
                guard found.status == 0 else { return leaveOut(name, program) }
                let line = String(decoding: found.output, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
                let proxy = line.trimmingCharacters(in: .whitespaces)
                guard !proxy.isEmpty, !proxy.contains("\"") else { continue }
                lines.append("\(setting) \"\(proxy)\";")
            } catch is KilnError {
                return leaveOut(name, program)
            }
        }
    }

    private mutating func leaveOut(_ name: String, _ value: String) {
        notes.append("apt's setting \(name) is left out where packages are installed: \(value) is of no use there")
    }
}
