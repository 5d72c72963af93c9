import KilnModel

/// A lab as one file declares it.
public struct LabFile: Sendable, Hashable {
    /// What the lab is called.
    public let name: Name
    /// What it is for, in a sentence.
    public let about: String?
    /// The lab.
    public let lab: LabSpec

    /// A lab file from its parts.
    public init(name: Name, about: String?, lab: LabSpec) {
        self.name = name
        self.about = about
        self.lab = lab
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

    /// A scenario from its parts.
    public init(name: Name, about: String?, lab: LabSpec, steps: [Step]) {
        self.name = name
        self.about = about
        self.lab = lab
        self.steps = steps
    }
}
