import KilnDocuments
import KilnModel
import KilnSystem

/// A lab as one file declares it.
public struct LabFile: Sendable, Hashable {
    /// What the lab is called.
    public let name: Name
    /// What it is for, in a sentence.
    public let about: String?
    /// The lab.
    public let lab: LabSpec
    /// The external services of the file, which only a run of it as a scenario starts.
    public let externals: [Name: ExternalSpec]
    /// What may be wrong with the file, and can't be known before the lab runs.
    public let warnings: [Problem]

    /// A lab file from its parts.
    public init(
        name: Name,
        about: String?,
        lab: LabSpec,
        externals: [Name: ExternalSpec] = [:],
        warnings: [Problem] = []
    ) {
        self.name = name
        self.about = about
        self.lab = lab
        self.externals = externals
        self.warnings = warnings
    }
}

/// A lab and what is done with it, step by step.
public struct Scenario: Sendable {
    /// What the scenario is called; the labs of its runs are called after it.
    public let name: Name
    /// What it shows, in a sentence.
    public let about: String?
    /// What it can be chosen by.
    public let tags: [Name]
    /// Which of the combinations of its file's matrix it is, by the names of the matrix; empty where there is none.
    public let variant: [Name: String]
    /// The lab that the steps act on.
    public let lab: LabSpec
    /// The services of the host that a run has beside its machines.
    public let externals: [Name: ExternalSpec]
    /// The steps in order; never empty.
    public let steps: [PlacedStep]
    /// What is done at the end of a run, however that ends.
    public let finally: [PlacedStep]
    /// What may be wrong with the file, and can't be known before the scenario runs.
    public let warnings: [Problem]
    /// The digests that the images of its steps mean, where they are locked.
    public let lock: LabLock?

    /// A scenario from its parts.
    public init(
        name: Name,
        about: String?,
        tags: [Name] = [],
        variant: [Name: String] = [:],
        lab: LabSpec,
        externals: [Name: ExternalSpec] = [:],
        steps: [PlacedStep],
        finally: [PlacedStep] = [],
        warnings: [Problem] = [],
        lock: LabLock? = nil
    ) {
        self.name = name
        self.about = about
        self.tags = tags
        self.variant = variant
        self.lab = lab
        self.externals = externals
        self.steps = steps
        self.finally = finally
        self.warnings = warnings
        self.lock = lock
    }

    /// The name, with the combination of its matrix where it has one.
    public var title: String { Scenario.title(name, variant) }

    /// A scenario's name with a combination of its matrix, as reports have it.
    static func title(_ name: Name, _ variant: [Name: String]) -> String {
        if variant.isEmpty { return name.text }
        let values = variant.sorted { $0.key < $1.key }.map { "\($0.key)=\(Printable.line($0.value))" }
        return "\(name) (\(values.joined(separator: ", ")))"
    }
}
