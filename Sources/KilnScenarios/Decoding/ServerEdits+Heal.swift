import KilnDocuments
import KilnModel

extension ServerEdits {
    /// Reads what an autopilot may do.
    mutating func readHeal(_ fields: Fields<ServerFields>) {
        guard let value = fields[.heal] else { return }
        set(\.heal, value.heal(hasMaxAge: fields[.maxAge] != nil))
    }
}

extension Value {
    fileprivate func heal(hasMaxAge: Bool) -> HealSpec? {
        guard let fields = Fields<HealFields>(self, "a map, such as 'after: 30s', or {}") else { return nil }
        let usual = HealSpec()
        let window = fields[.window].map { $0.window() }
        if let field = fields[.window], !hasMaxAge {
            field.problem(
                "it says when those are replaced who are due, which takes 'max-age'; add that, or leave this out"
            )
        }
        return HealSpec(
            after: fields[.after]?.duration() ?? usual.after,
            atMost: fields[.atMost]?.whole(in: HealFields.limits) ?? usual.atMost,
            per: fields[.per]?.duration() ?? usual.per,
            window: window ?? nil
        )
    }

    private func window() -> HealSpec.Window? {
        guard let fields = Fields<HealWindowFields>(self, "a map with 'from' and 'to'") else { return nil }
        guard let from = fields[.from].map({ $0.minute() }), let to = fields[.to].map({ $0.minute() }), let from, let to
        else { return nil }
        if from == to { problem("it ends when it begins; leave it out for at any time") }
        return HealSpec.Window(from: from, to: to)
    }

    private func minute() -> Int? {
        guard let text = text("a time of day such as '02:00'") else { return nil }
        guard let minute = HealSpec.Window.minute(text) else {
            mismatch("a time of day such as '02:00'")
            return nil
        }
        return minute
    }
}
