/// What the machines of a host are like, whatever they are made from.
public struct Platform: Sendable, Hashable, Codable {
    /// A text on a guest's console by which the host knows what is wrong with the machine, and not with the image.
    public struct ConsoleSign: Sendable, Hashable, Codable {
        /// The part of a line.
        public let text: String
        /// The number of processors from which on it means that.
        public let processors: Int
        /// What to do next.
        public let hint: String

        /// A sign from its parts.
        public init(_ text: String, processors: Int = 1, hint: String) {
            self.text = text
            self.processors = processors
            self.hint = hint
        }
    }

    /// The architecture, by libvirt's name.
    public let arch: String
    /// The machine type.
    public let machine: String
    /// How the guest's instructions are executed.
    public let acceleration: MachineSpec.Acceleration
    /// What a kernel is told on top of what its image and its generation need.
    public let kernelWords: [String]
    /// What a guest's console tells of the host, in the order of how sure it is.
    public let signs: [ConsoleSign]

    /// What a kernel says that was brought down by its processor; with an emulated one that need not be the kernel's fault.
    public let crashes: [String]

    /// A platform from its parts.
    public init(
        arch: String = "x86_64",
        machine: String = "q35",
        acceleration: MachineSpec.Acceleration,
        kernelWords: [String] = [],
        signs: [ConsoleSign] = [],
        crashes: [String] = []
    ) {
        self.arch = arch
        self.machine = machine
        self.acceleration = acceleration
        self.kernelWords = kernelWords
        self.signs = signs
        self.crashes = crashes
    }

    /// Whether the processors are a program, which may have faults of its own.
    public var isEmulated: Bool { acceleration == .tcg }

    /// How many times as long as with KVM machines may take.
    ///
    /// What a boot takes without KVM differs widely; this leaves what deadlines usually leave, and no more, so that what hangs is
    /// still found soon.
    public var patience: Double { isEmulated ? 2.5 : 1 }

    /// How long a machine may take to be ready where nothing is said.
    public var readyTimeout: Duration { Platform.usualReadyTimeout * patience }

    /// The same with KVM.
    public static let usualReadyTimeout = Duration.seconds(120)
}
