import Foundation
import Glibc
import KilnModel
import Testing

extension EndToEnd {
    @Suite("The same image, whoever bakes it and whenever", .lane, .serialized, .timeLimit(.minutes(45)))
    struct Reproducible {
        @Test(
            "a snapshot pins the packages of its day, and the same recipe gives the same digest years later",
            .enabled(if: geteuid() == 0 && OtherSurroundings.hasOtherTimes, "needs root and faketime")
        )
        func snapshot() async throws {
            var home = try #require(Home.shared)
            let archive = PackageArchive(path: home.path + "/archive")
            try await archive.add("20260101", version: "1.0")
            try await archive.add("20260601", version: "2.0")
            let first = try await bake(home, archive, "2026-01-01")
            #expect(first.sbom.contains("\(PackageArchive.package)@1.0"), "\(first.sbom)")
            let newer = try await bake(home, archive, "2026-06-01")
            #expect(newer.sbom.contains("\(PackageArchive.package)@2.0") && newer.digest != first.digest)
            home.prefix = OtherSurroundings.yearsLater
            let later = try await bake(home, archive, "2026-01-01")
            #expect(later == first)
            print("snapshot 2026-01-01: \(first.digest), years later \(later.digest)")
        }

        private struct Baked: Equatable {
            let digest: String
            let sbom: String
        }

        /// Bakes with the packages of a day, reusing nothing.
        private func bake(_ home: Home, _ archive: PackageArchive, _ day: String) async throws -> Baked {
            try archive.writeRecipe(in: home.recipes, day)
            let bake = try await home.run(
                "image",
                "bake",
                "--no-test",
                "--again",
                "--folder",
                home.recipes.path,
                "probe"
            )
            try #require(bake.status == 0, "\(bake.errors)")
            let digest = try #require(try await home.digest(of: "probe:1"))
            return Baked(digest: digest, sbom: try await home.run("image", "sbom", "probe:1").text)
        }

        @Test(
            "tiny, debian-13 and notes are the same as root's and as a plain user's, with other settings, tomorrow",
            .enabled(
                if: geteuid() == 0 && OtherSurroundings.user != nil && OtherSurroundings.hasOtherTimes,
                "needs root, a user with subordinate ids, and faketime"
            )
        )
        func everybody() async throws {
            let mine = try Home(Home.freshPath())
            let theirs = try await other()
            let wanted = ["tiny:1", "tiny:2", "debian-13:1", "notes:1", "notes:2"]
            var digests: [[String?]] = []
            for home in [mine, theirs] {
                // From an empty store; `notes` brings its parent.
                let bake = try await home.start([
                    "image", "bake", "--no-test", "--folder", Home.checkout + "/Images", "tiny", "notes",
                ])
                .finish(within: .seconds(1_200))
                try #require(bake.status == 0, "\(bake.errors)")
                var found: [String?] = []
                for image in wanted { found.append(try await home.digest(of: image)) }
                digests.append(found)
            }
            for (index, image) in wanted.enumerated() {
                print("\(image): root's \(digests[0][index] ?? "none"), a user's \(digests[1][index] ?? "none")")
            }
            #expect(digests[0] == digests[1] && !digests[0].contains(nil))
            for home in [mine, theirs] { try await home.remove() }
        }

        /// A home of a plain user, in other surroundings.
        private func other() async throws -> Home {
            let (name, id) = (try #require(OtherSurroundings.user), try #require(PlainUser.id))
            var home = try Home(Home.freshPath())
            chown(home.path, id, id)
            home.prefix = ["/usr/sbin/runuser", "-u", name, "--"]
            try await home.tool("/bin/mkdir", "-m", "0700", home.path + "/run", home.path + "/elsewhere")
            home.prefix = OtherSurroundings.asUser(name, home: home.path) + OtherSurroundings.tomorrow
            return home
        }
    }
}
