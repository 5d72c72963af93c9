import Foundation
import KilnModel
import Testing

@Suite("User-data and what images do of it")
struct UserDataTests {
    private static func manifest(
        _ cloudInit: ImageManifest.CloudInit,
        modules: [String]? = nil,
        recipe: ImageDigest? = nil
    ) throws -> ImageManifest {
        ImageManifest(
            name: try Name("web"),
            version: "1",
            digest: try #require(ImageDigest(String(repeating: "a", count: 64))),
            virtualSize: .mebibytes(1),
            boot: .direct(commandLine: ""),
            cloudInit: cloudInit,
            cloudInitModules: modules,
            ssh: true,
            size: MachineSize(memory: .mebibytes(1), processors: 1),
            recipe: recipe
        )
    }

    @Test(
        "the form is told as cloud-init tells it",
        arguments: [
            ("#cloud-config\n{}", UserDataForm.cloudConfig), ("\n #Cloud-Config", .cloudConfig),
            ("#cloud-config-archive\n", .archive), ("#cloud-config-jsonp\n", .patch), ("#!/bin/sh\n", .script),
            ("#cloud-boothook\n", .boothook), ("#include-once\n", .include), ("## template: jinja\n#!", .template),
            ("#part-handler\n", .partHandler), ("Content-Type: text/plain\nmime-version: 1.0\n", .mime),
            ("#!/bin/sh\n# MIME-Version: 1.0", .mime), ("echo\n", nil), ("", nil), ("\u{feff}#!/bin/sh", nil),
            ("# cloud-config\n", nil), ("#\u{301}!/bin/sh", nil),
        ]
    )
    func form(text: String, form: UserDataForm?) {
        #expect(UserDataForm(Array(text.utf8)) == form)
    }

    @Test("packed bytes are gzip, and survive being written down")
    func document() throws {
        let document = UserDataDocument([0x1f, 0x8b, 0, 0xff])
        #expect(document.form == .gzip && document.text == nil)
        var spec = ServerSpec(image: try ImageReference("web"))
        spec.userDataDocument = document
        #expect(try JSONDecoder().decode(ServerSpec.self, from: JSONEncoder().encode(spec)) == spec)
    }

    @Test("what an image's modules do not do is named, with what to do instead")
    func undone() throws {
        let image = try Self.manifest(.full, modules: ["timezone", "users_groups", "ssh", "runcmd"])
        let review = UserDataReview(image, named: "web:1")
        #expect(
            review.undone(["packages", "timezone", "power_state", "output", "users"]) == ["packages", "power_state"]
        )
        #expect(review.remark(on: "packages", [])?.contains("web:1 does not do it: bake it") == true)
        #expect(review.remark(on: "power_state", [])?.contains("does not become ready") == true)
        #expect(review.remark(on: "ntp", [])?.contains("'runcmd'") == true)
        #expect(review.remark(on: "run_cmd", [])?.contains("did you mean 'runcmd'?") == true)
        #expect(review.remark(on: "timezone", "UTC") == nil && review.remark(on: "merge_how", "") == nil)
    }

    @Test("'kiln ssh' logs in as whom the user-data names, else as the default user of the image")
    func guestUser() throws {
        let others: JSONValue = [["name": "me"]]
        #expect(GuestUser.named(by: nil) == nil && GuestUser.named(by: ["users": ["default"]]) == nil)
        #expect(GuestUser.named(by: ["user": "me", "users": others]) == "me")
        #expect(GuestUser.named(by: ["user": ["name": "me"]]) == "me" && GuestUser.named(by: ["user": [:]]) == nil)
        #expect(GuestUser.named(by: ["users": others]) == "root" && GuestUser.named(by: ["users": []]) == "root")
        #expect(GuestUser.named(by: ["system_info": ["default_user": ["name": "me"]]]) == "me")
        let package = ImageManifest.Package(
            name: "bash",
            version: "5.2-1ubuntu3",
            architecture: "amd64",
            source: "bash"
        )
        #expect(GuestUser.ofImage(named: try Name("web"), packages: [package]) == "ubuntu")
        #expect(GuestUser.ofImage(named: try Name("ubuntu-cloud"), packages: []) == "ubuntu")
        #expect(GuestUser.ofImage(named: try Name("debian-13"), packages: []) == "debian")
    }

    @Test("what the seed overrides, or takes from 'kiln ssh', is named")
    func overridden() throws {
        let review = UserDataReview(try Self.manifest(.full), named: "web:1")
        #expect(review.remark(on: "ssh_keys", [:])?.contains("host key of its own") == true)
        #expect(review.remark(on: "users", [["name": "me"]])?.contains("logs in as root") == true)
        #expect(review.remark(on: "users", ["default", ["name": "me"]]) == nil)
        #expect(review.remark(on: "ssh_genkeytypes", ["rsa"])?.contains("not used") == true)
        #expect(review.remark(on: "user", ["name": "me"])?.contains("--user me") == true)
        #expect(review.remark(on: "user", ["shell": "/bin/sh"]) == nil)
        #expect(review.remark(on: "system_info", ["default_user": ["name": "me"]])?.contains("--user me") == true)
        #expect(review.remark(on: "system_info", [:]) == nil && review.remark(on: "disable_root", false) == nil)
        #expect(review.remark(on: "disable_root", true)?.contains("root") == true)
        #expect(review.remark(on: "packages", []) == nil)
        #expect(review.remark(on: "power_state", [:]) != nil)
    }

    @Test("an image with a subset does the subset; one without cloud-init nothing, which is said once")
    func kinds() throws {
        let subset = UserDataReview(try Self.manifest(.subset), named: "web:1")
        #expect(subset.undone(["runcmd", "swap", "timezone"]) == ["swap", "timezone"])
        #expect(subset.refusal(of: .script) != nil && subset.refusal(of: .cloudConfig) == nil && subset.unread == nil)
        let none = UserDataReview(try Self.manifest(.none), named: "web:1")
        #expect(none.unread != nil && none.remark(on: "runcmd", []) == nil && none.undone(["runcmd"]) == ["runcmd"])
    }

    @Test("of an image that is not in the store, or older than modules in recipes, what changes a server is doubted")
    func unknown() throws {
        let old = try Self.manifest(.full, recipe: ImageDigest(String(repeating: "b", count: 64)))
        for image in [nil, old] {
            let review = UserDataReview(image, named: "web")
            #expect(review.remark(on: "packages", [])?.contains("can't be known") == true)
            #expect(review.remark(on: "timezone", "UTC") == nil && review.undone(["packages"]).isEmpty)
        }
    }

    @Test("a manifest that was written before there were modules is read")
    func oldManifest() throws {
        let image = try Self.manifest(.full)
        let text = String(decoding: try JSONEncoder().encode(image), as: UTF8.self)
        #expect(!text.contains("cloudInitModules"))
        #expect(try JSONDecoder().decode(ImageManifest.self, from: Data(text.utf8)) == image)
    }
}
