import Foundation
import KilnEngine
import KilnModel
import KilnStore
import KilnSystem

/// The folders of one bake under way.
struct Workbench: Sendable {
    /// Holds the others; it goes with the bake.
    let folder: String
    let plan: BakePlan
    let log: BakeLog

    var tree: FileTree { FileTree(path: folder + "/tree") }
    /// Kernel, initrd, and the list of packages where the tree has no dpkg.
    var boot: String { folder + "/boot" }
    /// What becomes the image.
    var draft: String { folder + "/draft" }
    var raw: String { folder + "/disk.raw" }
    /// Files that a step needs only meanwhile.
    var scratch: String { folder + "/scratch" }

    func make() throws {
        for path in [tree.path, boot, draft] { try DurableFile.makeDirectory(path) }
        try makeScratch()
    }

    /// Makes the folder of files that a step needs only meanwhile.
    ///
    /// Beside a machine's disk, whose user has to reach the folder above, only who bakes reads them: the recipe's files may be secret.
    func makeScratch() throws {
        try DurableFile.makeDirectory(scratch)
        if plan.recipe.room == .booted { try Namespace.makePrivate(scratch) }
    }

    /// What a step may know.
    var context: BakeContext {
        BakeContext(recipe: plan.recipe, version: plan.version, scratch: scratch, boot: boot, tree: tree, log: log)
    }

    /// Takes kernel, initrd and packages from a folder.
    func takeBoot(from source: String) throws {
        for file in ["kernel", "initrd", "packages"] where FileStamp(of: "\(source)/\(file)") != nil {
            try? FileManager.default.removeItem(atPath: "\(boot)/\(file)")
            try SparseCopy.copy("\(source)/\(file)", to: "\(boot)/\(file)")
        }
    }

    /// Whether a step put another initrd in the place of the parent's.
    var hasOwnInitrd: Bool {
        guard let parent = plan.parent?.manifest.files["initrd"] else { return true }
        return (try? FileDigest.sha256(of: boot + "/initrd")) != parent
    }

    /// A folder with the tree as an archive, and the boot files.
    func draftOfStep() async throws -> String {
        let step = "\(folder)/step-\(UUID().uuidString)"
        try DurableFile.makeDirectory(step + "/boot")
        try await tree.archiving(to: step + "/tree.tar.zst", epoch: FileTree.anyTime, isPacked: true).run()
        for file in ["kernel", "initrd", "packages"] where FileStamp(of: "\(boot)/\(file)") != nil {
            try SparseCopy.copy("\(boot)/\(file)", to: "\(step)/boot/\(file)")
        }
        return step
    }

    /// When the newest Python file of a package was changed, in seconds since 1970; 0 where there is none.
    ///
    /// It is the same whenever the packages are installed: what is newer than its package's list was changed by a step. None of them may seem older than it is: Python would compile at each
    /// boot what does not have the time that its compiled file remembers.
    private func newestPython() async throws -> Int {
        let script = """
            [ -d /var/lib/dpkg/info ] || exit 0
            grep -l '^/usr/.*[.]py$' /var/lib/dpkg/info/*.list | while read -r list; do
                grep '^/usr/.*[.]py$' "$list" | tr '\\n' '\\0' | xargs -0 stat -c '%F %Y' 2> /dev/null |
                    sed -n 's/^regular .*file //p' | awk -v most="$(stat -c %Y "$list")" '$1 <= most'
            done | sort -n | tail -n 1 > /run/kiln/scratch/newest
            """
        let none = scratch + "/none"
        try DurableFile.makeDirectory(none)
        let room = ChrootRoom(root: tree.path, recipe: none, variables: [:], log: log)
        room.lend(scratch, as: "scratch")
        try await room.run(RoomCommand(["/bin/sh", "-c", script], timeout: .seconds(300), network: false))
        let found = FileManager.default.contents(atPath: scratch + "/newest") ?? Data()
        return Int(String(decoding: found, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    /// Takes the newest kernel of /boot that has its initrd there, by the names that Debian gives them, where no step left one.
    private func takeKernelOfTree() async throws {
        guard FileStamp(of: boot + "/kernel") == nil, FileStamp(of: boot + "/initrd") == nil else { return }
        let script = """
            set -eu
            cd -- "$1"
            [ -d boot ] && [ ! -L boot ] || exit 0
            is_file() { [ -f "$1" ] && [ ! -L "$1" ]; }
            ls boot | sed -n 's/^vmlinuz-//p' | sort -V -r | while read -r version; do
                kernel=boot/vmlinuz-$version initrd=boot/initrd.img-$version
                is_file "$kernel" && is_file "$initrd" || continue
                cp -- "$kernel" "$2/kernel"
                cp -- "$initrd" "$2/initrd"
                echo "takes the kernel $version of the tree's /boot"
                break
            done
            """
        // Files of other owners are a plain user's to read only in the tree's namespace.
        let command = Namespace.command("/bin/sh", ["-c", script, "kernel", tree.path, boot])
        _ = try await command.lines { [log] in log.tell($0) }
    }

    /// Makes the disk of the tree.
    func makeDisk(by roots: any RootInspection) async throws {
        try await takeKernelOfTree()
        for file in ["kernel", "initrd"] where FileStamp(of: "\(boot)/\(file)") == nil { throw lacks(file) }
        let identity = DiskIdentity(of: plan.key, epoch: max(plan.epoch, try await newestPython()))
        try await tree.makeDisk(at: raw, size: plan.settings.disk, as: identity, by: roots)
        try await FileTree.pack(raw, as: "\(draft)/\(ImageStore.diskName)")
        for file in ["kernel", "initrd"] { try DurableFile.rename("\(boot)/\(file)", to: "\(draft)/\(file)") }
    }

    /// Refuses what can have no kernel: a tree that begins as a Debian without any package of one, and is left as it is.
    ///
    /// - Throws: `KilnError` with code `bake.incomplete`.
    func requireKernelToCome() throws {
        guard plan.parent == nil, plan.recipe.provisioners(of: plan.version).isEmpty,
            case .debian(let debian) = plan.recipe.base(of: plan.version), debian.packages.isEmpty
        else { return }
        throw lacks("kernel")
    }

    private func lacks(_ file: String) -> KilnError {
        KilnError(
            .bakeIncomplete,
            "\(plan.title) has no \(file): no step left one at $KILN_BOOT/\(file), and /boot of its tree has no vmlinuz-VERSION with "
                + "an initrd.img-VERSION",
            hint:
                "install linux-image-cloud-amd64 or another package of a kernel, let a program 'outside: true' put both there, or make "
                + "the image from one that has them",
            exit: .aborted
        )
    }
}
