import Foundation
import KilnTestSupport

/// A program that takes statements as `psql` does, and behaves as a test wants.
struct FakePSQL {
    /// The program.
    let program: String
    /// Where it keeps its rows.
    let rows: String

    /// A program of a shell's commands, for a line that is no `\echo`: `$line` is that, `$rows` a file.
    init(_ folder: TemporaryDirectory, _ commands: String) throws {
        rows = folder.path + "/rows"
        let script = #"""
            #!/bin/sh
            rows='\#(rows)'
            : >>"$rows"
            printf '%s\n' "$@" >"$rows.arguments"
            printf '%s' "$PGPASSWORD" >"$rows.password"
            while IFS= read -r line; do
                case $line in
                '\echo '*) printf '%s\n' "${line#* }" ;;
                *) \#(commands) ;;
                esac
            done
            """#
        program = try folder.file("psql", Array(script.utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    }

    /// Keeps inserted records, and gives them back.
    static let honest = """
        case $line in
        INSERT*) text=${line#*VALUES (}; text=${text%%)*}
            number=${text%%,*}; text=${text#*"'"}; payload=${text%%"'"*}; sum=${text%"'"}; sum=${sum##*"'"}
            printf 'R %s %s %s\\n' "$number" "$payload" "$sum" >>"$rows"
            printf '%s %s\\n' "$number" "$sum" ;;
        "SELECT 'R"*) cat "$rows" ;;
        esac
        """
}
