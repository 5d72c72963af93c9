import KilnModel

/// The number of members that an autopilot has come to.
extension LabEngine {
    /// The same lab, where servers whose number of members follows their load keep the one that they have.
    ///
    /// What their file says is what they begin with: without that every `up` would undo what an autopilot did. A number that
    /// limits of now exclude becomes the nearest that they allow.
    func keepingNumbers(of lab: LabSpec) -> LabSpec {
        guard let before = try? self.lab(lab.name) else { return lab }
        var kept: [Name: ServerSpec] = [:]
        for (name, spec) in lab.servers {
            let server = ServerID(lab: lab.name, server: name)
            guard let limits = spec.autoscale, let known = before.servers[name], known.autoscale != nil,
                let fleet = known.fleet, spec.fleet != nil, hasServed(server)
            else { continue }
            let number = limits.allowed(fleet.replicas)
            guard number != spec.replicas else { continue }
            kept[name] = spec
            kept[name]?.fleet?.replicas = number
            parts.progress(
                .note(
                    "\(server): \(number) members, as it has them by 'autoscale'; the \(spec.replicas) of its lab file are what it "
                        + "begins with, and 'kiln scale \(server) N' changes them"
                )
            )
        }
        return lab.with(kept)
    }

    /// Whether the first member was ever launched; of one whose journal can't be read that is told once its lock is held.
    func hasServed(_ server: ServerID) -> Bool {
        (try? workspace(server.member(0)).history())?.current != nil
    }
}
