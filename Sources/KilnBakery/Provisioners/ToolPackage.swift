import KilnModel
import KilnSystem

/// A configuration tool that a step needs in the tree only meanwhile.
///
/// Where the tree has it, that one is used, and stays. Else its Debian package is installed for the step, and purged
/// afterwards with everything that came along.
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
        if found == 0 {
            try await body()
        } else {
            try await list(into: "before", room, bake)
            try await AptInstallation(packages: [package], mirrors: [], keyrings: []).install(in: room, bake)
            try await body()
            if !keep { try await purge(room) }
        }
        if !keep { try await removeLeftovers(room) }
    }

    /// Notes which packages are installed.
    private func list(into name: String, _ room: any BuildRoom, _ bake: BakeContext) async throws {
        let folder = bake.scratch + "/packages"
        try DurableFile.makeDirectory(folder)
        try await room.lend(folder, as: "packages")
        let script =
            #"dpkg-query -W -f '${db:Status-Status} ${Package}:${Architecture}\n' | sort > /run/kiln/packages/"$1""#
        try await room.run(
            RoomCommand(["/bin/sh", "-c", script, "list", name], timeout: .seconds(60), network: false)
        )
    }

    private func purge(_ room: any BuildRoom) async throws {
        let script = #"""
            set -eu
            dpkg-query -W -f '${db:Status-Status} ${Package}:${Architecture}\n' | sort > /run/kiln/packages/after
            comm -13 /run/kiln/packages/before /run/kiln/packages/after | sed -n 's/^installed //p' > /run/kiln/packages/new
            [ ! -s /run/kiln/packages/new ] || xargs dpkg --purge --force-remove-protected < /run/kiln/packages/new
            """#
        try await room.run(
            RoomCommand(["/bin/sh", "-c", script], timeout: StepSettings.usualTimeout, network: false)
        )
    }

    private func removeLeftovers(_ room: any BuildRoom) async throws {
        try await room.run(
            RoomCommand(["rm", "-rf", "--"] + leftovers, timeout: .seconds(60), network: false)
        )
    }
}
