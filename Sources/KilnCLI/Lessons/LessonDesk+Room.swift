import KilnEngine
import KilnModel
import KilnScenarios
import KilnStore

/// What has to be so before a lesson is begun, or its task judged.
extension LessonDesk {
    /// Refuses a lesson that could not be made, before anything of it is.
    ///
    /// - Parameter isOwn: whether what has the lab's name is what a killed command left of this lesson; that goes first.
    /// - Throws: `learn.images-missing`, `learn.memory`, `learn.lab-taken`.
    func requireRoom(for lesson: Lesson, isOwn: Bool, budget: RunBudget = .ofHost) async throws {
        try requireImages(of: lesson)
        // Its machines have the memory that the new ones need.
        if isOwn { try await workspace.engine.discard(exercise: lesson.name) }
        try LessonDesk.requireMemory(of: lesson, budget) { try? workspace.parts.images.usable($0, .any).manifest.size }
        guard !isOwn, try workspace.engine.isTaken(lesson.name) else { return }
        throw KilnError(
            .learnLabTaken,
            "the lesson '\(lesson.name)': no lab of that name expected, found one, or volumes of one",
            hint: "take it down and purge its volumes: 'kiln down \(lesson.name)', 'kiln volume list' shows them",
            exit: .blocked
        )
    }

    private func requireImages(of lesson: Lesson) throws {
        let missing = try lesson.setting.neededImages.filter { image in
            do {
                _ = try workspace.parts.images.usable(image, .any)
                return false
            } catch let error as KilnError where error.code == .imageRevoked {
                // To bake it anew would give the same digest.
                throw error
            } catch { return true }
        }
        guard !missing.isEmpty else { return }
        let names = Set(missing.map(\.name)).sorted().map(\.text).joined(separator: " ")
        throw KilnError(
            .learnImagesMissing,
            "the lesson '\(lesson.name)': its images expected in the store, not found: "
                + missing.map(\.description).sorted().joined(separator: ", "),
            hint:
                "bake them by 'kiln image bake \(names)', which takes a minute or some and packages from the mirrors of this "
                + "host's apt; then begin the lesson once more",
            exit: .aborted
        )
    }

    /// Refuses a lesson whose machines have no room in the host's free memory.
    ///
    /// - Throws: `learn.memory`.
    static func requireMemory(
        of lesson: Lesson,
        _ budget: RunBudget,
        _ size: (ImageReference) -> MachineSize?
    ) throws {
        let needed = lesson.demand(size)
        guard needed.bytes > budget.memory else { return }
        throw KilnError(
            .learnMemory,
            "the lesson '\(lesson.name)': \(needed.bytes >> 20) MiB of free memory expected for its machines, "
                + "\(budget.memory >> 20) MiB found",
            hint: "end other machines first: 'kiln ps' lists those of this home",
            exit: .aborted
        )
    }

    /// Refuses a lab that can't be judged: one that is gone, or of which a server is being changed.
    ///
    /// - Throws: `learn.lab-gone`, `learn.lab-busy`.
    func requireLab(of lesson: Lesson, _ current: LessonRecord.Current) async throws {
        let servers = try await workspace.engine.statuses(lesson.name)
        let gone = lesson.setting.servers.filter { name in !servers.contains { $0.name == name } }
        guard gone.isEmpty else {
            throw KilnError(
                .learnLabGone,
                "the lab of the lesson '\(lesson.name)': its server \(gone.map(\.text).joined(separator: ", ")) expected, "
                    + "none found: somebody took it down",
                hint: "give the lesson up with 'kiln learn reset', then '\(current.start)' begins it anew",
                exit: .blocked
            )
        }
        guard let busy = servers.first(where: { $0.operation?.pid != nil }), let operation = busy.operation,
            let pid = operation.pid
        else { return }
        throw KilnError(
            .learnLabBusy,
            "\(busy.lab)/\(busy.name): a server that nobody changes expected, found that process \(pid) replaces it "
                + "and is in \(operation.step.rawValue)",
            hint: "wait until that has ended ('kiln ps \(busy.lab)'), then 'kiln learn check' once more",
            exit: .blocked
        )
    }
}
