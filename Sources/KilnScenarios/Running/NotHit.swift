/// A fault that hit nothing: what it was to show was not shown.
///
/// It is no failure that a step may have to have, and no other attempt is made.
struct NotHit: Error, CustomStringConvertible {
    let description: String
    let hint: String?

    init(_ why: String, hint: String? = nil) {
        description = "not hit: \(why)"
        self.hint = hint
    }
}
