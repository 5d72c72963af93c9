import KilnDocuments
import KilnModel

/// One step of a scenario.
public struct Step: Sendable, Hashable, CustomStringConvertible {
    /// What a step does.
    public enum Action: Sendable, Hashable {
        /// Makes the servers and waits until they are ready.
        case up([Name])
        /// Runs a command in a guest and compares how it ends.
        case exec(Command)
        /// Starts the ledger's writer in the background.
        case writeLedger(server: Name, path: String)
        /// Stops the writer and compares what was acknowledged with what the volume holds.
        case verifyLedger(server: Name, path: String, recordsAtLeast: Int)
        /// Replaces the server's machine by one of the next generation.
        case replace(Replacement)
        /// Replaces the server's machine by one from the image of an earlier generation.
        case rollback(Rollback)
        /// Gives the present state of a volume a name.
        case volumeSnapshot(volume: Name, name: Name?)
        /// Shuts the machines of the servers down.
        case stop([Name])
        /// Starts the stopped machines of the servers and waits until they are ready.
        case start([Name])
        /// Compares a server with what is expected of it.
        case expect(Expectation)
        /// Destroys the machines of the lab; volumes are retained.
        case down
    }

    /// A command in a guest and how it has to end.
    public struct Command: Sendable, Hashable {
        /// The server whose machine runs it.
        public let server: Name
        /// Program and arguments; a text in the file becomes `/bin/sh -c TEXT`.
        public let arguments: [String]
        /// The expected exit status.
        public let exit: Int
        /// What the standard output has to contain.
        public let contains: String?

        /// A command from its parts.
        public init(server: Name, arguments: [String], exit: Int = 0, contains: String? = nil) {
            self.server = server
            self.arguments = arguments
            self.exit = exit
            self.contains = contains
        }
    }

    /// A replacement and how it has to end.
    public struct Replacement: Sendable, Hashable {
        /// The server.
        public let server: Name
        /// The image of the next generation; nothing means the one that the lab declares.
        public let image: ImageReference?
        /// How it follows the old one; nothing means as the lab declares.
        public let strategy: Strategy?
        /// What becomes of the data on a revert.
        public let dataOnRevert: DataOnRevert
        /// Whether an old machine that ignores the request to shut down is switched off.
        public let forceStop: Bool
        /// Whether the new generation is tried on clones of the volumes first.
        public let rehearsesFirst: Bool
        /// How it has to end.
        public let outcome: Outcome

        /// A replacement from its parts.
        public init(
            server: Name,
            image: ImageReference? = nil,
            strategy: Strategy? = nil,
            dataOnRevert: DataOnRevert = .keep,
            forceStop: Bool = false,
            rehearsesFirst: Bool = false,
            outcome: Outcome = .committed
        ) {
            self.server = server
            self.image = image
            self.strategy = strategy
            self.dataOnRevert = dataOnRevert
            self.forceStop = forceStop
            self.rehearsesFirst = rehearsesFirst
            self.outcome = outcome
        }
    }

    /// A way back to an earlier generation and how it has to end.
    public struct Rollback: Sendable, Hashable {
        /// The server.
        public let server: Name
        /// The generation to go back to; nothing means the one before.
        public let generation: Generation?
        /// How it has to end.
        public let outcome: Outcome

        /// A rollback from its parts.
        public init(server: Name, to generation: Generation? = nil, outcome: Outcome = .committed) {
            self.server = server
            self.generation = generation
            self.outcome = outcome
        }
    }

    /// How a replacement ends.
    public enum Outcome: String, Sendable, Hashable, Codable, CaseIterable {
        /// The new generation serves.
        case committed
        /// The new one failed after the volumes had moved; the old one serves again.
        case reverted
        /// Given up before anything that serves was touched.
        case aborted
        /// Neither way was safe; both machines are off.
        case halted
    }

    /// What is expected of a server; at least one part besides the server is set.
    public struct Expectation: Sendable, Hashable {
        /// A request through a published port that has to be answered in time.
        public struct HTTP: Sendable, Hashable {
            /// The request and the expected answer.
            public let probe: HTTPProbe
            /// How long it may take.
            public let timeout: Duration

            /// A request from its parts.
            public init(_ probe: HTTPProbe, timeout: Duration = Check.usualTimeout) {
                self.probe = probe
                self.timeout = timeout
            }
        }

        /// How much of a server's root may differ from its image.
        public enum Drift: String, Sendable, Hashable, Codable, CaseIterable {
            /// Nothing outside its ephemeral paths.
            case nothing = "none"
        }

        /// The server.
        public let server: Name
        /// The generation that serves.
        public let generation: Generation?
        /// Whether every probe of its ready list holds.
        public let ready: Bool?
        /// The image of the generation that serves.
        public let image: ImageReference?
        /// What it answers.
        public let http: HTTP?
        /// How far its root has drifted.
        public let drift: Drift?

        /// An expectation from its parts.
        public init(
            server: Name,
            generation: Generation? = nil,
            ready: Bool? = nil,
            image: ImageReference? = nil,
            http: HTTP? = nil,
            drift: Drift? = nil
        ) {
            self.server = server
            self.generation = generation
            self.ready = ready
            self.image = image
            self.http = http
            self.drift = drift
        }
    }

    /// What it does.
    public let action: Action
    /// Where it stands in the file.
    public let position: Position

    /// A step from its parts.
    public init(action: Action, position: Position) {
        self.action = action
        self.position = position
    }

    /// The step in the words of the file, for reports.
    public var description: String {
        switch action {
        case .up(let servers): "up \(Step.list(servers))"
        case .exec(let command): "exec \(command.server)"
        case .writeLedger(let server, _): "write-ledger \(server)"
        case .verifyLedger(let server, _, _): "verify-ledger \(server)"
        case .replace(let replacement): replacement.description
        case .rollback(let rollback): rollback.description
        case .volumeSnapshot(let volume, let name): "volume-snapshot \(volume)" + (name.map { " as \($0)" } ?? "")
        case .stop(let servers): "stop \(Step.list(servers))"
        case .start(let servers): "start \(Step.list(servers))"
        case .expect(let expectation): "expect \(expectation.server)"
        case .down: "down"
        }
    }

    private static func list(_ names: [Name]) -> String { names.map(\.text).joined(separator: ", ") }
}

extension Step.Replacement {
    fileprivate var description: String {
        "replace \(server)" + (image.map { " by \($0)" } ?? "") + (strategy.map { ", \($0.rawValue)" } ?? "")
    }
}

extension Step.Rollback {
    fileprivate var description: String { "rollback \(server)" + (generation.map { " to \($0)" } ?? "") }
}
