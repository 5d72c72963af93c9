import KilnBakery
import KilnEngine
import KilnModel
import KilnScenarios
import KilnStore

/// The images that scenarios need: a scenario whose images are not all there is not begun.
struct RunImages {
    let workspace: Workspace
    let session: Session

    /// Sees to it that they are there.
    ///
    /// - Parameter bakes: whether those that are missing are baked, and those tested that a lab takes tested only.
    /// - Throws: `run.images-missing`, naming all of them; what baking and tests throw.
    func provide(for scenarios: [Scenario], bakes: Bool) async throws {
        if bakes { try await bake(scenarios) }
        let missing = needed(by: scenarios).filter { lacks($0, [.imageMissing]) }
        guard missing.isEmpty else { throw RunImages.missing(missing) }
        if bakes { try await test(scenarios.filter { $0.lab.images == .attested }) }
    }

    private func needed(by scenarios: [Scenario]) -> Set<ImageReference> {
        scenarios.reduce(into: []) { $0.formUnion($1.neededImages) }
    }

    // What is revoked or untested is there, and the run tells it.
    private func lacks(_ image: ImageReference, _ codes: [ErrorCode]) -> Bool {
        do {
            _ = try workspace.parts.images.usable(image, .any)
            return false
        } catch { return (error as? KilnError).map { codes.contains($0.code) } ?? false }
    }

    private func bake(_ scenarios: [Scenario]) async throws {
        // Of an image that is named by a channel there may be no version.
        let missing = needed(by: scenarios).filter { lacks($0, [.imageMissing, .imageChannelMissing]) }
        let search = SearchPath(.recipes)
        let folders = try Set(missing.map(\.name)).sorted().map { try search.find($0, session) }
        for folder in folders {
            let recipe = try Recipe(folder: folder, parents: search.folder(of:))
            _ = try await workspace.bake(recipe, parents: search, session)
        }
    }

    private func test(_ scenarios: [Scenario]) async throws {
        let images = needed(by: scenarios).compactMap { try? workspace.images.resolve($0).manifest }
        guard !images.isEmpty else { return }
        guard try await workspace.test(images, madeSince: try workspace.images.catalog(), session) else {
            throw KilnError(
                .imageNotAttested,
                "images that have passed their tests expected, found one that did not",
                hint: "see which of its assertions do not hold: 'kiln image show NAME:VERSION'",
                exit: .aborted
            )
        }
    }

    private static func missing(_ images: Set<ImageReference>) -> KilnError {
        let names = Set(images.map(\.name)).sorted().map(\.text).joined(separator: " ")
        return KilnError(
            .runImagesMissing,
            "images expected in the store, not found: " + images.map(\.description).sorted().joined(separator: ", "),
            hint: "bake them by 'kiln image bake \(names)', or with the run: '--bake'",
            exit: .aborted
        )
    }
}
