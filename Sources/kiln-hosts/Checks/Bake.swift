import Foundation
import KilnOutside

extension Check {
    /// An image is baked with this host's tools.
    static let bake = Check(
        name: "bake",
        about: "tiny is baked, and its files are what their digests say",
        accounts: [.root, .person],
        quick: [.root]
    ) { account in
        try account.insist("image", "bake", "tiny", "--no-test", "--folder", Visit.Inner.recipes)
        try account.insist("image", "verify", "tiny:1")
        try account.insist("image", "verify", "tiny:2")
    }
}

extension Account {
    /// Sees that this account has both versions of tiny: its own, or copies of those that root has baked.
    ///
    /// - Throws: ``Skip`` where nobody has baked them.
    func needTiny() throws {
        func has(_ home: String) -> Bool {
            ["1", "2"].allSatisfy { access("\(home)/images/names/tiny/\($0)", R_OK) == 0 }
        }
        if has(home) { return }
        let others = try Account(.root).home
        guard has(others) else { throw Skip(reason: "there is no image: baking tiny failed, or was not chosen") }
        // Which configurations passed is the other's own affair, and nobody else may read it.
        let copy = #"""
            mkdir -p "$2/images" && find "$1/images" -mindepth 1 -maxdepth 1 ! -name configurations \
                -exec cp -r --preserve=mode,timestamps -t "$2/images" {} +
            """#
        let end = try run(["sh", "-c", copy, "copy", others, home])
        guard end.status == 0 else { throw Failure("root's images can't be copied: \(end.errors)") }
    }
}
