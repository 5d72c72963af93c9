import KilnModel

/// What a server asks of its image, as far as that is known before anything is touched.
extension ServerSpec {
    /// Refuses an image that is larger than the disk that the server declares, for a disk can't be made smaller than what is on
    /// it; and one whose cloud-init is known not to grow what is on it.
    ///
    /// - Throws: `image.larger-than-disk`, `image.grows-no-disk`.
    func requireRoom(for image: ImageManifest) throws {
        guard let disk, disk != image.virtualSize else { return }
        guard disk < image.virtualSize else { return try requireGrowth(image) }
        throw KilnError(
            .imageLargerThanDisk,
            "the server declares a disk of \(disk), and the image \(image.title) has one of \(image.virtualSize)",
            hint: "declare 'disk: \(image.virtualSize)' or more, or leave it out",
            exit: .aborted
        )
    }

    private func requireGrowth(_ image: ImageManifest) throws {
        let grows = image.cloudInitModules?.contains("resizefs") ?? true
        guard image.cloudInit == .subset || !grows else { return }
        throw KilnError(
            .imageGrowsNoDisk,
            "the server declares a disk of more than the \(image.virtualSize) of the image \(image.title), whose cloud-init grows "
                + "no file system",
            hint: "leave 'disk' out, give it a volume, or bake the image with a larger disk",
            exit: .aborted
        )
    }

    /// Refuses an image of which it is known that what the server needs can't be asked in its guests.
    ///
    /// - Throws: `image.no-way-in`.
    func requireWay(_ way: GuestWay?, into image: ImageManifest) throws {
        guard let way, way != .agent, !mayBringAgent else { return }
        let warm = strategy == .warmFirst ? warmReady : []
        if (ready + warm + verify).contains(where: { $0.probe == .agent }) {
            throw noWay(image, "its machines run no guest agent, which a check of the server asks for by name")
        }
        guard way == .closed else { return }
        if !volumes.isEmpty && image.cloudInit != .none {
            throw noWay(
                image,
                "its machines have neither a guest agent nor an SSH server that lets Kiln in, so nothing tells whether their volumes are mounted"
            )
        }
        guard afterAttach.isEmpty else {
            throw noWay(
                image,
                "its machines have neither a guest agent nor an SSH server that lets Kiln in, through which 'after-attach' is run"
            )
        }
    }

    private func noWay(_ image: ImageManifest, _ why: String) -> KilnError {
        KilnError(
            .imageNoWayIn,
            "the image \(image.title) can't be used here: \(why)",
            hint:
                "install qemu-guest-agent in it, or by user-data ('packages: [qemu-guest-agent]'); or take 'agent' out of "
                + "'ready', and see that its SSH server takes keys from cloud-init",
            exit: .aborted
        )
    }
}
