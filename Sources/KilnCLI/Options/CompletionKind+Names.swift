import ArgumentParser
import KilnEngine
import KilnModel

/// What a shell offers: names of the state directory, read at each question.
extension CompletionKind {
    /// Labs.
    static var labs: CompletionKind { names { known, _ in known.labs } }
    /// Servers, in every form that names exactly one.
    static var servers: CompletionKind { names { known, _ in known.servers } }
    /// Servers, by the name that a lab file gives them.
    static var serverNames: CompletionKind { names { known, _ in known.serverNames } }
    /// What a copy goes from or to: a server with a colon, or a file.
    static var copySides: CompletionKind {
        .custom { _, _, prefix in
            let servers = KnownNames.current.servers.map { $0 + ":" }.filter { $0.hasPrefix(prefix) }
            return escaped(servers) + KnownNames.files(startingWith: prefix, ofAnyKind: true)
        }
    }
    /// Runs that are remembered, and servers.
    static var reports: CompletionKind { names { known, _ in known.runs + known.servers } }
    /// Volumes, as `LAB/NAME`.
    static var volumes: CompletionKind { names { known, _ in known.volumes } }
    /// Retained volumes.
    static var retained: CompletionKind { names { known, _ in known.retained } }
    /// Images, as `NAME:VERSION` and as `NAME@CHANNEL`.
    static var images: CompletionKind { names { known, _ in known.images } }
    /// The names of images, without a version.
    static var imageNames: CompletionKind { names { known, _ in known.imageNames } }
    /// Channels of images.
    static var channels: CompletionKind { names { known, _ in known.channels } }
    /// Recipes by name.
    static var recipes: CompletionKind { names { known, _ in known.recipes } }
    /// Lessons by name.
    static var lessons: CompletionKind { names { known, _ in known.lessons } }
    /// Scenarios by name, and files.
    static var scenarios: CompletionKind {
        .custom { _, _, prefix in
            KnownNames.current.scenarios.filter { $0.hasPrefix(prefix) } + KnownNames.files(startingWith: prefix)
        }
    }
    /// The snapshots of the volume that stands before.
    static var snapshots: CompletionKind {
        names { known, words in words.compactMap(VolumePath.init).flatMap(known.snapshots) }
    }

    /// Those that begin with what is typed so far; `list` is given all words of the line, too.
    private static func names(_ list: @escaping @Sendable (KnownNames, [String]) -> [String]) -> CompletionKind {
        .custom { words, _, prefix in
            escaped(list(.current, words).filter { $0.hasPrefix(prefix) })
        }
    }

    // In zsh a colon ends the word, and what follows describes it.
    private static func escaped(_ names: [String]) -> [String] {
        CompletionShell.requesting == .zsh ? names.map { $0.replacing(":", with: "\\:") } : names
    }
}
