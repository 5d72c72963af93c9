import Foundation
import KilnModel

/// Whether a recipe that names no mirror finds Debian's archives from here, and keys to check them with.
///
/// Nobody is asked over the network: that an archive answers is seen by baking.
public struct DebianOutlook: Sendable, Hashable {
    /// Whether there is all that a bake begins with.
    public let isReady: Bool
    /// What was found.
    public let detail: String
    /// What to do about it; nothing where it is ready.
    public let remedy: String?

    /// Looks at the environment, else at the host's apt.
    ///
    /// - Parameters:
    ///   - scratch: an empty folder, for files that are needed meanwhile.
    ///   - environment: variables besides those of this process.
    public static func look(scratch: String, environment: [String: String] = [:]) async -> DebianOutlook {
        do {
            let own = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            let keyrings = try (own[DebianMirror.keyringVariable] ?? "").nonEmpty.map { [try AptKeyring(file: $0)] }
            let mirrors = try DebianMirror.named(in: own[DebianMirror.variable] ?? "")
            if !mirrors.isEmpty { return of(mirrors, keyrings: try keyrings ?? AptKeyring.ofDebian()) }
            let settings = try await HostApt.Settings.read(environment: environment)
            let apt = try await HostApt.read(in: scratch, settings, environment: environment, isAsking: false)
            return try of(apt, settings, keyrings: keyrings)
        } catch let error as KilnError {
            return DebianOutlook(error)
        } catch {
            return DebianOutlook(isReady: false, detail: "apt was not examined", remedy: DebianMirror.advice)
        }
    }

    /// What mirrors and keys that are named come to.
    static func of(_ mirrors: [String], keyrings: [AptKeyring]) -> DebianOutlook {
        guard !keyrings.isEmpty else { return DebianOutlook(AptKeyring.missing(for: mirrors)) }
        return DebianOutlook(isReady: true, detail: "\(DebianMirror.variable) has \(list(mirrors))")
    }

    /// What the host's apt comes to, for any suite.
    ///
    /// - Throws: `KilnError` with code `bake.no-mirror` or `bake.no-keyring`.
    static func of(_ apt: HostApt, _ settings: HostApt.Settings, keyrings: [AptKeyring]?) throws -> DebianOutlook {
        let archives = apt.targets(of: settings.architecture)
        if !archives.targets.isEmpty, archives.unread.count == archives.targets.count {
            let detail = "apt has not read whose its archives are; a bake asks them"
            return DebianOutlook(isReady: false, detail: detail, remedy: "apt-get update")
        }
        let found = try DebianSources.ofHost(apt, suite: "stable", settings: settings)
        let names = archives.targets.filter { $0.about?.origin == "Debian" }.map(\.uri)
        guard !(keyrings ?? found.keyrings).isEmpty else { throw AptKeyring.missing(for: names) }
        return DebianOutlook(isReady: true, detail: "apt has \(list(Set(names).sorted()))")
    }

    /// For people, without the credentials that an address may have.
    private static func list(_ addresses: [String]) -> String {
        addresses.map { $0.replacing(/\/\/[^\/@]*@/, with: "//") }.joined(separator: ", ")
    }

    private init(isReady: Bool, detail: String, remedy: String? = nil) {
        (self.isReady, self.detail, self.remedy) = (isReady, detail, remedy)
    }

    private init(_ error: KilnError) {
        let detail = [error.message, error.cause].compactMap(\.self).joined(separator: ": ")
        self.init(isReady: false, detail: detail, remedy: error.hint ?? DebianMirror.advice)
    }
}

extension String {
    /// The text, or nothing where it is empty.
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}
