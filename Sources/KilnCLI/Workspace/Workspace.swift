import Foundation
import KilnEngine
import KilnHost
import KilnModel
import KilnStore

/// The host and what stands on it, opened once per command.
struct Workspace: Sendable {
    /// Which hypervisor it is.
    let connection: HostConnection
    /// Where state is kept.
    let state: StateDirectory
    /// Sealed images.
    let images: ImageStore
    /// Labs.
    let engine: LabEngine
    /// What the engine works with.
    let parts: EngineParts

    /// Prepares the home; the hypervisor is reached when a machine is first asked for.
    static func open(connect: String?, progress: @escaping ProgressSink) async throws -> Workspace {
        let host = try await LocalHost.open(connect: connect, executable: executable)
        if host.connection.isExclusive {
            progress(.note("an embedded libvirt serves one command at a time; Kiln's default serves many"))
        }
        let images = ImageStore(root: host.state.images)
        let parts = host.engineParts(images: images, progress: progress)
        let engine = LabEngine(state: host.state, parts: parts)
        return Workspace(connection: host.connection, state: host.state, images: images, engine: engine, parts: parts)
    }

    /// This program, which runs itself once more as the parent of the private daemon.
    static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }
}
