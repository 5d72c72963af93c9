import Foundation
import KilnEngine
import KilnHost
import KilnImages
import KilnModel

/// The host and what stands on it, opened once per command.
struct Workspace: Sendable {
    /// The directories and the hypervisor of this machine.
    let host: LocalHost
    /// Sealed images.
    let images: ImageStore
    /// Labs.
    let engine: LabEngine
    /// Published ports, from the client's side.
    let network: any NetworkProbe

    /// Prepares the home; the hypervisor is reached when a machine is first asked for.
    static func open(connect: String?, progress: @escaping ProgressSink) async throws -> Workspace {
        let host = try await LocalHost.open(connect: connect, executable: executable)
        if host.connection.isExclusive {
            progress(.note("an embedded libvirt serves one command at a time; Kiln's default serves many"))
        }
        let images = ImageStore(root: host.state.images)
        let parts = host.engineParts(images: images, progress: progress)
        let engine = LabEngine(state: host.state, parts: parts)
        return Workspace(host: host, images: images, engine: engine, network: parts.network)
    }

    /// This program, which runs itself once more as the parent of the private daemon.
    static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }
}
