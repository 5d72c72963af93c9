import KilnModel

/// A program that runs in a room.
struct RoomCommand: Sendable {
    /// The program and its arguments; a relative path is one of the recipe's files.
    let arguments: [String]
    /// Variables besides those that every program of a bake has.
    let environment: [String: String]
    let timeout: Duration
    /// Whether it reaches the network.
    let network: Bool

    init(_ arguments: [String], environment: [String: String] = [:], timeout: Duration, network: Bool) {
        self.arguments = arguments
        self.environment = environment
        self.timeout = timeout
        self.network = network
    }
}

/// Where a provisioner works: a tree in which programs run as root, apart from the host.
///
/// The step's files are in ``RoomPlaces/recipe``, where programs begin and which they can only read.
protocol BuildRoom: Sendable {
    /// Runs a program; each line that it writes is told and kept in the bake's log.
    ///
    /// - Throws: `KilnError` with code `bake.step-failed` where it ends with another status than 0 or one of `accepted`,
    ///   `bake.step-deadline`, `bake.room-refused`; `CancellationError`.
    /// - Returns: its exit status.
    func run(_ command: RoomCommand, accepting accepted: Set<Int32>) async throws -> Int32

    /// Puts a folder of the host where the programs of the next runs find it, writable, at a path below `/run/kiln`.
    func lend(_ folder: String, as name: String) throws
}

extension BuildRoom {
    /// Runs a program that has to end with status 0.
    func run(_ command: RoomCommand) async throws { _ = try await run(command, accepting: []) }
}

/// Paths in a room.
enum RoomPlaces {
    /// Lies in memory, so nothing of it stays in the tree.
    static let kiln = "/run/kiln"
    static let recipe = "/run/kiln/recipe"
}
