import Foundation
import PackagePlugin

/// Writes the commit that is built into a source file of the target.
@main
struct NoteCommit: BuildToolPlugin {
    // A function, whose body is no part of the module's interface: a new commit compiles one file, and links.
    private static let script = #"""
        sources=$1 file=$2 again=$3
        in_sources() { git -c safe.directory="$sources" -C "$sources" "$@" 2>/dev/null; }
        commit=unknown
        if prefix=$(in_sources rev-parse --show-prefix) && [ -z "$prefix" ]; then
            commit=$(TZ=UTC in_sources log -1 --format=git%cd.%h --abbrev=12 --date=format-local:%Y%m%d%H%M%S) || commit=unknown
            in_sources diff --quiet HEAD -- Package.swift Sources || commit=$commit.changed
        fi
        text="func commit() -> String { \"$commit\" }"
        [ "$(cat "$file" 2>/dev/null)" = "$text" ] || printf '%s\n' "$text" >"$file"
        date +%s%N >"$again"
        """#

    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = context.pluginWorkDirectoryURL
        let file = folder.appending(path: "Commit.swift")
        // The command changes what it depends on, so it is never up to date: no file says all that git would.
        let again = folder.appending(path: "again")
        try Data().write(to: again)
        return [
            .buildCommand(
                displayName: "Noting the commit",
                executable: URL(filePath: "/bin/sh"),
                arguments: ["-c", NoteCommit.script, "note", context.package.directoryURL.path, file.path, again.path],
                inputFiles: [again],
                outputFiles: [file]
            )
        ]
    }
}
