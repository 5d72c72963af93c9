import KilnModel

/// What a step does, read and ready to be performed.
protocol StepAction: Sendable {
    /// The step in the words of the file, for reports.
    var summary: String { get }
    /// The steps that it holds.
    var children: [PlacedStep] { get }
    /// How often each of its children is performed at most.
    var rounds: Int { get }
    /// What can be saved of it besides what its kind has: by what stands in the file.
    var outputs: [String] { get }
    /// The images that it names.
    var images: [ImageReference] { get }
    /// The servers of which it makes generations.
    var renewed: [Name] { get }
    /// Whether it changes what belongs to the host, which is done in a home of the run's own only.
    var needsOwnHome: Bool { get }
    /// What it knows and nobody is to read: passwords, tokens.
    var secrets: [String] { get }
    /// Tells what it needs of the lab and what it makes of it, before anything runs; what can't work is reported there.
    func foresee(_ forecast: inout LabForecast)
    /// The same where the file gives the step this time, which its own deadlines are not to be shorter than.
    func allowing(_ limit: Duration) -> any StepAction
    /// Does it; returns what is worth telling and saving.
    ///
    /// - Throws: `Unmet` or `DataLoss` where something was found that was not expected, else what keeps it from being done.
    func perform(_ context: RunContext, as id: StepID) async throws -> StepYield
}

extension StepAction {
    var children: [PlacedStep] { [] }
    var rounds: Int { 1 }
    var outputs: [String] { [] }
    var images: [ImageReference] { [] }
    var renewed: [Name] { [] }
    var needsOwnHome: Bool { false }
    var secrets: [String] { [] }
    func allowing(_ limit: Duration) -> any StepAction { self }
}

/// What came of a step that was done.
struct StepYield: Sendable {
    /// What is worth telling about it.
    var message: String?
    /// What can be saved of it, by the names that its kind has.
    var outputs: [String: String] = [:]
    /// The same of what is found out only where it is saved.
    var asked: [String: @Sendable () async throws -> String] = [:]

    /// What is saved under an output's name.
    func output(_ name: String) async throws -> String? {
        if let ask = asked[name] { return try await ask() }
        return outputs[name]
    }
}

extension StepYield {
    /// What a step has to tell that started machines, of which some were booted again because their kernels crashed.
    init(restarts: Int) {
        message =
            restarts == 0
            ? nil : "booted again after a crash before init, maybe by a fault of the emulator: \(restarts)"
    }
}
