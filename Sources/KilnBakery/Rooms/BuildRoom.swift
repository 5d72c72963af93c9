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
/// A step that works in one works in all of them: as a folder in ``ChrootRoom``, as a machine that runs in ``BootedRoom``. The step's files are in ``RoomPlaces/recipe``, where programs begin and which they can only read.
protocol BuildRoom: Sendable {
    /// Runs a program; each line that it writes is told and kept in the bake's log.
    ///
    /// - Throws: `KilnError` with code `bake.step-failed` where it ends with another status than 0 or one of `accepted`,
    ///   `bake.step-deadline` or `tool.deadline`, `bake.room-refused`, or as the machine's guest is reached; `CancellationError`.
    /// - Returns: its exit status.
    func run(_ command: RoomCommand, accepting accepted: Set<Int32>) async throws -> Int32

    /// Puts a folder of the host where the programs of the next runs find it, writable, at a path below `/run/kiln`.
    ///
    /// - Throws: `KilnError` with code `bake.files-too-large` and others, where it has to be carried there.
    func lend(_ folder: String, as name: String) async throws

    /// The content of a file of the tree, by its absolute path; nothing where there is none.
    ///
    /// - Throws: `KilnError`, also where it has more bytes than `limit`.
    func read(_ path: String, limit: Int) async throws -> [UInt8]?

    /// Everything in the tree as far as steps change it, without times: what tells whether one changed anything.
    ///
    /// - Throws: `KilnError`; `CancellationError`.
    func listing() async throws -> TreeListing

    /// The address at which programs in the room find what listens on 127.0.0.1 of this host.
    var loopback: String? { get }
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
    /// The tree of the image of which a step takes files.
    static let image = "/run/kiln/image"

    /// Variables that every program of a bake has.
    static let variables = [
        "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC",
    ]
}
