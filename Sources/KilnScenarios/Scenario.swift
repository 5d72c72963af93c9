import KilnDocuments
import KilnModel

/// A lab as one file declares it.
public struct LabFile: Sendable, Hashable {
    /// What the lab is called.
    public let name: Name
    /// What it is for, in a sentence.
    public let about: String?
    /// The lab.
    public let lab: LabSpec
    /// What may be wrong with the file, and can't be known before the lab runs.
    public let warnings: [Problem]

    /// A lab file from its parts.
    public init(name: Name, about: String?, lab: LabSpec, warnings: [Problem] = []) {
        self.name = name
        self.about = about
        self.lab = lab
        self.warnings = warnings
    }
}

/// A lab and what is done with it, step by step.
public struct Scenario: Sendable, Hashable {
    /// What the scenario is called; also the name of its lab, so that it never acts on a lab of the user's.
    public let name: Name
    /// What it shows, in a sentence.
    public let about: String?
    /// The lab that the steps act on.
    public let lab: LabSpec
    /// The steps in order; never empty.
    public let steps: [Step]
    /// What may be wrong with the file, and can't be known before the scenario runs.
    public let warnings: [Problem]

    /// A scenario from its parts.
    public init(name: Name, about: String?, lab: LabSpec, steps: [Step], warnings: [Problem] = []) {
        self.name = name
        self.about = about
        self.lab = lab
        self.steps = steps
        self.warnings = warnings
    }
}
