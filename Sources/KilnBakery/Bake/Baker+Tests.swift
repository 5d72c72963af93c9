import KilnModel
import KilnStore

/// What is expected of an image lies beside it, and is no part of what is baked.
extension Baker {
    /// An image that was baked from just that, with the tests that the recipe has today.
    func expecting(_ image: StoredImage, _ plan: BakePlan) async throws -> StoredImage {
        guard image.manifest.tests ?? [] != plan.tests else {
            tell("\(plan.title) is baked already")
            return image
        }
        let changed = try await store.replaceTests(of: image, by: plan.tests)
        tell("\(plan.title) is baked already; \(Baker.newTests(plan))")
        return changed
    }

    /// Seals what was baked, and says so where only its tests are new.
    func sealed(_ draft: ImageStore.Draft, _ plan: BakePlan) async throws -> StoredImage {
        let before = try? store.find(ImageReference(name: plan.recipe.name, selector: .version(plan.version.name)))
        let image = try await store.sealed(draft, waiting: tellWaiting)
        tell("\(plan.title) is \(image.manifest.digest)")
        if let before, before.manifest.digest == image.manifest.digest, before.manifest.tests ?? [] != plan.tests {
            tell("\(plan.title): \(Baker.newTests(plan))")
        }
        return image
    }

    private static func newTests(_ plan: BakePlan) -> String {
        "tests changed, and what passed those of before is untested: channels that point to it make no new machines until it "
            + "passed again: 'kiln image test \(plan.title)'"
    }
}
