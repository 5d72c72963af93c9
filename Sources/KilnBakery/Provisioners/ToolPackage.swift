import KilnModel
import KilnSystem

/// A configuration tool that a step needs in the tree only meanwhile.
///
/// Where the tree has it, that one is used, and stays with its state. Else it is installed for the step, and purged afterwards
/// with everything that came along with it; what the tool then installs, as it was told, is the step's work and stays.
struct ToolPackage {
    /// The program, which is looked for on the tree's PATH.
    let program: String
    /// The Debian package that carries it.
    let package: String
    /// What it leaves behind in the tree: its state, facts, certificates.
    let leftovers: [String]

    /// Does something with the tool in the tree.
    ///
    /// - Parameter keep: whether a tool that was installed for it stays.
    func use(in room: any BuildRoom, _ bake: BakeContext, keep: Bool, _ body: () async throws -> Void) async throws {
        let found = try await room.run(
            RoomCommand(
                ["/bin/sh", "-c", "command -v \"$1\" > /dev/null", "find", program],
                timeout: .seconds(60),
                network: false
            ),
            accepting: [1, 127]
        )
        if found == 0 { return try await body() }
        try await ToolPackage.use(in: room, bake, packages: [package], leftovers: leftovers, keep: keep) {
            try await AptInstallation(packages: [package], mirrors: [], keyrings: []).install(in: room, bake)
        } body: {
            try await body()
        }
    }

    /// Does something with a tool that is installed for it.
    ///
    /// - Parameters:
    ///   - packages: those that may carry it; where one has to stay, so does what the tool leaves behind.
    ///   - leftovers: what it leaves behind; what of that is there before stays.
    ///   - keep: whether it stays.
    ///   - install: brings it into the tree.
    static func use(
        in room: any BuildRoom,
        _ bake: BakeContext,
        packages: [String],
        leftovers: [String],
        keep: Bool,
        installing install: () async throws -> Void,
        body: () async throws -> Void
    ) async throws {
        if keep {
            try await install()
            return try await body()
        }
        let folder = bake.scratch + "/packages"
        try DurableFile.makeDirectory(folder)
        try await room.lend(folder, as: "packages")
        try await room.run(script(listing, ["before"] + leftovers, within: .seconds(60)))
        try await install()
        try await room.run(script(listing, ["installed"], within: .seconds(60)))
        try await body()
        try await room.run(
            script(purging, [packages.joined(separator: " ")] + leftovers, within: StepSettings.usualTimeout)
        )
    }

    private static func script(_ text: String, _ arguments: [String], within timeout: Duration) -> RoomCommand {
        let place = RoomPlaces.kiln + "/packages"
        return RoomCommand(["/bin/sh", "-c", text, "tool", place] + arguments, timeout: timeout, network: false)
    }

    /// Notes in the folder which packages are installed, as a file of a name, and with the first which leftovers are there.
    static let listing = #"""
        set -eu
        cd "$1"
        name=$2
        shift 2
        dpkg-query -W -f '${db:Status-Status} ${Package}:${Architecture}\n' | sort > "$name"
        [ "$name" = before ] || exit 0
        for path; do [ ! -e "$path" ] && [ ! -L "$path" ] || printf '%s\n' "$path"; done > present
        """#

    /// Purges what the tool's installation brought, as far as nothing else needs it by now, and removes what the tool left, unless
    /// its own package stays.
    static let purging = #"""
        set -eu
        cd "$1"
        tools=$2
        shift 2
        dpkg-query -W -f '${db:Status-Status} ${Package}:${Architecture}\n' | sort > after
        comm -13 before installed | comm -12 - after | sed -n 's/^installed //p' > new
        [ -s new ] || exit 0
        # dpkg names what it can't remove, because what the step installed needs it; then what that needs in turn.
        while [ -s new ]; do
            ! xargs dpkg --no-act --purge --force-remove-protected < new > said 2>&1 || break
            sed -n 's/^dpkg: error processing package \([^ ]*\) (--purge):$/\1/p' said > needed
            awk 'NR == FNR { needed[$1]; next } { split($1, name, ":") } !($1 in needed) && !(name[1] in needed)' needed new > rest
            if [ ! -s needed ] || cmp -s new rest; then
                cat said >&2
                exit 1
            fi
            sed 's/$/ stays: what the step installed needs it/' needed
            for tool in $tools; do ! grep -qx -e "$tool" -e "$tool:.*" needed || set --; done
            mv rest new
        done
        [ ! -s new ] || xargs dpkg --purge --force-remove-protected < new
        for path; do
            grep -qxF -e "$path" present || rm -rf -- "$path"
        done
        """#
}
