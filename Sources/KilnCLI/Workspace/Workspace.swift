import Foundation
import KilnEngine
import KilnHost
import KilnImages
import KilnModel

/// The host and what stands on it, opened once per command.
struct Workspace: Sendable {
    /// The directories and the hypervisor of this machine.
    let host: Host
    /// Sealed images.
    let images: ImageStore
    /// Labs.
    let engine: LabEngine

    /// Where state is kept.
    var state: StateDirectory { host.state }

    /// Opens the hypervisor that `connect`, else `LIBVIRT_DEFAULT_URI`, else the private daemon stands for.
    static func open(connect: String?, progress: @escaping ProgressSink) async throws -> Workspace {
        let host = try await Host.open(
            home: KilnHome.current,
            connect: connection(connect, environment: ProcessInfo.processInfo.environment),
            executable: executable
        )
        let images = ImageStore(root: host.state.images)
        let engine = LabEngine(state: host.state, parts: host.engineParts(images: images, progress: progress))
        return Workspace(host: host, images: images, engine: engine)
    }

    /// The URI that was asked for; nothing stands for the private daemon.
    static func connection(_ option: String?, environment: [String: String]) -> String? {
        [option, environment["LIBVIRT_DEFAULT_URI"]].compactMap { $0 }.first { !$0.isEmpty }
    }

    /// The image store alone: needs no hypervisor.
    static var imageStore: ImageStore {
        ImageStore(root: StateDirectory(root: KilnHome.current, sockets: "").images)
    }

    /// This program, which runs itself once more as the parent of the private daemon.
    static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }
}
