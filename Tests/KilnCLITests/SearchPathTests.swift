import Foundation
import KilnModel
import Testing

@testable import KilnCLI

@Suite("Recipes and scenarios by name")
struct SearchPathTests {
    private func surroundings(_ directory: String, trust: FolderTrust? = nil) -> SearchPath.Surroundings {
        SearchPath.Surroundings(
            environment: ["XDG_DATA_HOME": directory + "/data"],
            executable: directory + "/prefix/bin/kiln",
            directory: directory,
            trust: trust
        )
    }

    private func put(_ recipe: String, in folder: String) throws {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(recipe)", withIntermediateDirectories: true)
        try Data("name: \(recipe)\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(recipe)/image.yaml"))
    }

    @Test("the first folder that has one counts: the named one, ./Images, the user's, the installed ones")
    func order() async throws {
        try await Fixtures.withDirectory { directory in
            let folders = ["named", "Images", "data/kiln/images", "prefix/share/kiln/images"].map {
                "\(directory)/\($0)"
            }
            for folder in folders { try put("web", in: folder) }
            for index in folders.indices {
                let path = SearchPath(.recipes, folder: folders[0], surroundings(directory))
                #expect(try path.find(Name("web")) == "\(folders[index])/web")
                try FileManager.default.removeItem(atPath: folders[index])
            }
            let path = SearchPath(.recipes, folder: folders[0], surroundings(directory))
            #expect { try path.find(Name("web")) } throws: {
                guard let error = $0 as? KilnError else { return false }
                return error.code == .searchNotFound && folders.allSatisfy(error.message.contains)
            }
        }
    }

    @Test("a name that is not found is told what there is, and what is near")
    func suggestion() async throws {
        try await Fixtures.withDirectory { directory in
            try put("tiny", in: directory + "/Images")
            try put("debian-13", in: directory + "/data/kiln/images")
            let path = SearchPath(.recipes, surroundings(directory))
            #expect(path.names.map(\.text) == ["debian-13", "tiny"])
            #expect { try path.find(Name("tinny")) } throws: {
                let error = $0 as? KilnError
                return error?.message.contains("(did you mean 'tiny'?)") == true
                    && error?.hint == "there are: debian-13, tiny"
            }
        }
    }

    @Test("a lesson is a folder with its file, beside the scenarios of each place")
    func lessons() async throws {
        try await Fixtures.withDirectory { directory in
            let folders = ["Scenarios", "data/kiln/scenarios", "prefix/share/kiln/scenarios"]
            for (folder, name) in zip(folders, ["a", "b", "c"]) {
                try put(name, in: "\(directory)/\(folder)/lessons")
                let file = "\(directory)/\(folder)/lessons/\(name)/lesson.yaml"
                try Data("kiln-lesson: 1\n".utf8).write(to: URL(fileURLWithPath: file))
            }
            try put("no-lesson", in: directory + "/Scenarios/lessons")
            let path = SearchPath(.lessons, surroundings(directory))
            #expect(path.names.map(\.text) == ["a", "b", "c"])
            #expect(try path.find(Name("c")) == directory + "/prefix/share/kiln/scenarios/lessons/c")
        }
    }

    @Test("what is installed is found beside the program, and nothing of where the user stands")
    func installed() async throws {
        try await Fixtures.withDirectory { directory in
            try put("tiny", in: directory + "/Images")
            let path = SearchPath.installed(.recipes, surroundings(directory))
            #expect(
                path.folders == [
                    "\(directory)/prefix/share/kiln/images", "/usr/local/share/kiln/images", "/usr/share/kiln/images",
                ]
            )
            let system = SearchPath.Surroundings(environment: [:], executable: "/usr/bin/kiln", directory: directory)
            #expect(
                SearchPath.installed(.scenarios, system).folders
                    == ["/usr/share/kiln/scenarios", "/usr/local/share/kiln/scenarios"]
            )
        }
    }

    @Test("for root, ./Images counts only where nobody but root and the caller can have written it")
    func trust() async throws {
        try await Fixtures.withDirectory { directory in
            let me = FolderTrust(users: [0, geteuid()], groups: [0, getegid()])
            try put("tiny", in: directory + "/Images")
            let recipe = directory + "/Images/tiny/image.yaml"
            #expect(SearchPath(.recipes, surroundings(directory, trust: me)).leftOut == nil)
            #expect(chmod(recipe, 0o666) == 0)
            let open = SearchPath(.recipes, surroundings(directory, trust: me))
            #expect(open.leftOut?.contains("other users can write to \(recipe)") == true)
            #expect { try open.find(Name("tiny")) } throws: {
                ($0 as? KilnError)?.code == .searchNotFound && ($0 as? KilnError)?.hint == open.leftOut
            }
            try put("tiny", in: directory + "/data/kiln/images")
            let recorded = RecordedSession()
            #expect(try open.find(Name("tiny"), recorded.session()) == directory + "/data/kiln/images/tiny")
            #expect(recorded.errors.contains("Images does not count: "))
            #expect(chmod(recipe, 0o644) == 0)
            let stranger = SearchPath(.recipes, surroundings(directory, trust: FolderTrust(users: [], groups: [])))
            #expect(stranger.leftOut?.contains("belongs to user") == true)
            // A folder of that name that has nothing of what is searched is nobody's concern.
            try put("other", in: directory + "/data/kiln/images")
            let other = RecordedSession()
            _ = try stranger.find(Name("other"), other.session())
            #expect(!other.errors.contains("does not count"))
        }
    }

    @Test("a folder above that others can write to, other than a sticky one, speaks against what is below")
    func ancestors() async throws {
        try await Fixtures.withDirectory { directory in
            let me = FolderTrust(users: [0, geteuid()], groups: [0, getegid()])
            try put("tiny", in: directory + "/open/Images")
            #expect(chmod(directory + "/open", 0o1777) == 0)
            #expect(me.objection(to: directory + "/open/Images") == nil)
            #expect(chmod(directory + "/open", 0o777) == 0)
            #expect(me.objection(to: directory + "/open/Images")?.contains("\(directory)/open;") == true)
        }
    }

    @Test(
        "a link counts by what it leads to, whoever made it: the folder itself, a folder above it, and what lies in it"
    )
    func links() async throws {
        try await Fixtures.withDirectory { directory in
            let me = FolderTrust(users: [0, geteuid()], groups: [0, getegid()])
            try put("tiny", in: directory + "/theirs/Images")
            try put("tiny", in: directory + "/mine/Images")
            for folder in ["/open", "/mine/Images/tiny/root"] {
                try FileManager.default.createDirectory(atPath: directory + folder, withIntermediateDirectories: false)
            }
            #expect(chmod(directory + "/open", 0o1777) == 0)
            let links = [
                ("/Images", "theirs/Images"), ("/above", "theirs"), ("/mine/Images/more", directory + "/theirs/Images"),
                ("/mine/Images/.#lock", "me@here.1"), ("/mine/Images/itself", "itself"),
                // A link that a guest will follow, to a folder that only the guest has.
                ("/mine/Images/tiny/health", "run/kiln/www/health"), ("/mine/Images/tiny/root/masked", "/dev/null"),
            ]
            for (link, target) in links { #expect(symlink(target, directory + link) == 0) }
            let folders = ["/Images", "/above/Images", "/mine/Images"].map { directory + $0 }
            #expect(folders.dropLast().allSatisfy { me.objection(to: $0) == nil })
            #expect(me.objection(to: folders[2]) == nil)
            let recipe = directory + "/theirs/Images/tiny/image.yaml"
            #expect(chmod(recipe, 0o666) == 0)
            for folder in folders {
                #expect(me.objection(to: folder)?.contains("write to \(recipe)") == true, "\(folder)")
            }
            #expect(
                chmod(recipe, 0o644) == 0 && symlink("\(directory)/open/none", directory + "/mine/Images/late") == 0
            )
            #expect(me.objection(to: folders[2])?.contains("write to \(directory)/open;") == true)
        }
    }

    @Test("a folder that can't be searched is named, not passed over")
    func unreadable() async throws {
        try await Fixtures.withDirectory { directory in
            // A link that leads to itself: what root can't search either.
            try FileManager.default.createDirectory(atPath: directory + "/data/kiln", withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: directory + "/data/kiln/images",
                withDestinationPath: "images"
            )
            try put("tiny", in: directory + "/prefix/share/kiln/images")
            let path = SearchPath(.recipes, surroundings(directory))
            #expect { try path.find(Name("tiny")) } throws: {
                let error = $0 as? KilnError
                return error?.code == .searchUnreadable && error?.message.contains("/data/kiln/images") == true
            }
            #expect(path.names.map(\.text) == ["tiny"])
        }
    }

    @Test("a scenario is run by its file or by its name")
    func scenarios() async throws {
        let recorded = RecordedSession()
        for file in ["x.yaml", "./x", "dir/x"] {
            #expect(try RunVerb.path(of: file, recorded.session()) == file)
        }
        #expect { try RunVerb.path(of: "no-such-scenario", recorded.session()) } throws: {
            ($0 as? KilnError)?.code == .searchNotFound
        }
    }
}
